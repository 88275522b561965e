/**
 * y[j][o] = b[o] + Σₖ Σᵢ w[o][i][k] x[j·stride − left + k·dilation][group(o)·I + i], as the op defines it. Frames before an
 * item's first and behind its last are 0.
 */
import { lengthText, type BackwardCall, type ForwardCall, type OpKernels } from '../kernels.ts';
import { sumRows, sumSlices } from '../sums.ts';
import { X, Y, Z, type Tensor } from '../tensor.ts';

interface ConvolutionAttributes {
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  readonly left: number;
  readonly right: number;
}

interface Shape extends ConvolutionAttributes {
  readonly outputs: number;
  /** I: inputs of a group. */
  readonly perGroup: number;
  readonly outputsPerGroup: number;
  readonly taps: number;
  /** Text of the frames that x has: of the item where zeros stand behind its end, else of the batch. */
  readonly end: (item: string) => string;
  readonly more: Readonly<Record<string, Tensor>>;
}

function shapeOf(call: ForwardCall): Shape {
  const attributes = call.attributes as ConvolutionAttributes;
  const [outputs, perGroup, taps] = call.types[1]!.shape as [number, number, number];
  const clock = call.clocks[0]!;
  const looksAhead = attributes.right > 0;
  return {
    ...attributes,
    outputs,
    perGroup,
    taps,
    outputsPerGroup: outputs / attributes.groups,
    end: (item) => (looksAhead ? lengthText('lengths', clock, call.items, item) : `${clock.frames}`),
    more: looksAhead ? { lengths: call.lengths } : {},
  };
}

export const convolution: OpKernels = {
  forward(call) {
    const { plan, label, inputs, dims } = call as ForwardCall;
    const [x, weight, bias] = inputs;
    const { stride, dilation, left, perGroup, taps, outputsPerGroup, end, more } = shapeOf(
      call as ForwardCall,
    );
    return plan.run({
      label,
      dims,
      inputs: { x: x!, w: weight!, ...(bias ? { b: bias } : {}), ...more },
      body: `const end = ${end(Z)};
const first = Math.floor((${X} + 0.5) / ${outputsPerGroup}) * ${perGroup};
let sum = ${bias ? `b[${X}]` : '0'};
for (let k = 0; k < ${taps}; k++) {
  const frame = ${Y} * ${stride} - ${left} + k * ${dilation};
  if (frame >= 0 && frame < end) {
    for (let i = 0; i < ${perGroup}; i++) {
      sum += w[(${X} * ${perGroup} + i) * ${taps} + k] * x[${Z}][frame][first + i];
    }
  }
}
return sum;`,
    });
  },
  adjoint(call) {
    const whole = call as BackwardCall;
    const { plan, label, inputs, dims, dOutput, wanted, give } = whole;
    const [x, weight] = inputs;
    const shape = shapeOf(whole);
    const { stride, dilation, left, perGroup, taps, outputsPerGroup, end, more } = shape;
    if (wanted(0)) {
      const body = `const group = Math.floor((${X} + 0.5) / ${perGroup});
const i = ${X} - group * ${perGroup};
const end = ${end(Z)};
let sum = 0;
if (${Y} < end) {
  for (let k = 0; k < ${taps}; k++) {
    const from = ${Y} + ${left} - k * ${dilation};
    const j = Math.floor((from + 0.5) / ${stride});
    if (from >= 0 && j < ${dims[1]} && from - j * ${stride} < 0.5) {
      for (let o = 0; o < ${outputsPerGroup}; o++) {
        const output = group * ${outputsPerGroup} + o;
        sum += d[${Z}][j][output] * w[(output * ${perGroup} + i) * ${taps} + k];
      }
    }
  }
}
return sum;`;
      give(0, plan.run({ label, dims: x!.dims, inputs: { d: dOutput, w: weight!, ...more }, body }));
    }
    if (wanted(1)) give(1, weightGradient(whole, shape));
    if (inputs[2] && wanted(2)) {
      give(
        2,
        sumRows(plan, {
          label,
          width: dims[0],
          frames: dims[1]!,
          items: dims[2]!,
          inputs: { d: dOutput },
          term: (frame, item) => `d[${item}][${frame}][${X}]`,
        }),
      );
    }
  },
};

/** Frames that a thread adds up. */
const RUN = 256;

/** Σ over frames and items: x runs over (i, k), y over outputs, z over runs of frames. */
function weightGradient(
  { plan, label, inputs, dims, dOutput }: BackwardCall,
  { stride, dilation, left, perGroup, outputsPerGroup, taps, outputs, end, more }: Shape,
): Tensor {
  const [, frames, items] = dims as readonly [number, number, number];
  const run = Math.min(RUN, frames);
  const blocks = Math.ceil(frames / run);
  const partial = plan.run({
    label,
    dims: [perGroup * taps, outputs, blocks * items],
    inputs: { d: dOutput, x: inputs[0]!, ...more },
    body: `const item = Math.floor((${Z} + 0.5) / ${blocks});
const begin = (${Z} - item * ${blocks}) * ${run};
const i = Math.floor((${X} + 0.5) / ${taps});
const k = ${X} - i * ${taps};
const channel = Math.floor((${Y} + 0.5) / ${outputsPerGroup}) * ${perGroup} + i;
const end = ${end('item')};
let sum = 0;
for (let m = 0; m < ${run}; m++) {
  const j = begin + m;
  const frame = j * ${stride} - ${left} + k * ${dilation};
  if (j < ${frames} && frame >= 0 && frame < end) { sum += d[item][j][${Y}] * x[item][frame][channel]; }
}
return sum;`,
  });
  return sumSlices(plan, label, partial);
}
