/**
 * y[t·stride + k][o] += Σᵢ w[i][o][k] x[t][i], gathered: every output frame asks the input frames that reach it. Frames
 * behind an item's last are 0.
 */
import { lengthText, type BackwardCall, type ForwardCall, type OpKernels } from '../kernels.ts';
import { sumRows, sumSlices } from '../sums.ts';
import { X, Y, Z, type Tensor } from '../tensor.ts';

interface TransposedAttributes {
  readonly stride: number;
  readonly groups: number;
}

/** What of the weight (I·groups × O × taps) the kernels need. */
function shapeOf(call: ForwardCall) {
  const { stride, groups } = call.attributes as TransposedAttributes;
  const [channels, perGroup, taps] = call.types[1]!.shape as [number, number, number];
  return {
    stride,
    channels,
    perGroup,
    taps,
    inputsPerGroup: channels / groups,
    end: (item: string) => lengthText('lengths', call.clocks[0]!, call.items, item),
  };
}

export const transposedConvolution: OpKernels = {
  forward(call) {
    const { plan, label, inputs, dims, lengths } = call as ForwardCall;
    const [x, weight, bias] = inputs;
    const { stride, perGroup, taps, inputsPerGroup, end } = shapeOf(call as ForwardCall);
    return plan.run({
      label,
      dims,
      inputs: { x: x!, w: weight!, lengths, ...(bias ? { b: bias } : {}) },
      body: `const group = Math.floor((${X} + 0.5) / ${perGroup});
const o = ${X} - group * ${perGroup};
const firing = Math.floor((${Y} + 0.5) / ${stride});
const place = ${Y} - firing * ${stride};
const end = ${end(Z)};
let sum = ${bias ? `b[${X}]` : '0'};
for (let m = 0; m < ${Math.ceil(taps / stride)}; m++) {
  const k = place + m * ${stride};
  const frame = firing - m;
  if (k < ${taps} && frame >= 0 && frame < end) {
    for (let i = 0; i < ${inputsPerGroup}; i++) {
      const channel = group * ${inputsPerGroup} + i;
      sum += w[(channel * ${perGroup} + o) * ${taps} + k] * x[${Z}][frame][channel];
    }
  }
}
return sum;`,
    });
  },
  adjoint(call) {
    const whole = call as BackwardCall;
    const { plan, label, inputs, dims, lengths, dOutput, wanted, give } = whole;
    const [x, weight, bias] = inputs;
    const { stride, perGroup, taps, inputsPerGroup, end } = shapeOf(whole);
    if (wanted(0)) {
      const body = `const group = Math.floor((${X} + 0.5) / ${inputsPerGroup});
let sum = 0;
if (${Y} < ${end(Z)}) {
  for (let k = 0; k < ${taps}; k++) {
    const frame = ${Y} * ${stride} + k;
    if (frame < ${dims[1]}) {
      for (let o = 0; o < ${perGroup}; o++) {
        sum += d[${Z}][frame][group * ${perGroup} + o] * w[(${X} * ${perGroup} + o) * ${taps} + k];
      }
    }
  }
}
return sum;`;
      give(0, plan.run({ label, dims: x!.dims, inputs: { d: dOutput, w: weight!, lengths }, body }));
    }
    if (wanted(1)) give(1, weightGradient(whole));
    if (bias && wanted(2)) {
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

/** Σ over frames and items: x runs over (o, k), y over input channels, z over runs of frames. */
function weightGradient(call: BackwardCall): Tensor {
  const { plan, label, inputs, dims, items, lengths, dOutput } = call;
  const { stride, channels, perGroup, taps, inputsPerGroup, end } = shapeOf(call);
  const frames = inputs[0]!.dims[1]!;
  const run = Math.min(RUN, frames);
  const blocks = Math.ceil(frames / run);
  const partial = plan.run({
    label,
    dims: [perGroup * taps, channels, blocks * items],
    inputs: { d: dOutput, x: inputs[0]!, lengths },
    body: `const item = Math.floor((${Z} + 0.5) / ${blocks});
const begin = (${Z} - item * ${blocks}) * ${run};
const o = Math.floor((${X} + 0.5) / ${taps});
const k = ${X} - o * ${taps};
const output = Math.floor((${Y} + 0.5) / ${inputsPerGroup}) * ${perGroup} + o;
const end = ${end('item')};
let sum = 0;
for (let m = 0; m < ${run}; m++) {
  const t = begin + m;
  const frame = t * ${stride} + k;
  if (t < end && frame < ${dims[1]}) { sum += d[item][frame][output] * x[item][t][${Y}]; }
}
return sum;`,
  });
  return sumSlices(plan, label, partial);
}
