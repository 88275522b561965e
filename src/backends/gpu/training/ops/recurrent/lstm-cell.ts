/**
 * Forward a kernel a frame gives h and c from those before. Backward the gates are worked out for all frames at once, and
 * a kernel a frame gives the slopes of their arguments:
 *
 *     dh = dy[k] + Wᵀ da[k+1],   dc = dh o (1 − tanh² c[k]) + f[k+1] dc[k+1]
 *     da = (dc g i(1−i),  dc c[k−1] f(1−f),  dc i (1−g²),  dh tanh(c[k]) o(1−o))
 *
 * | symbol | name | numbers of a row |
 * | --- | --- | --- |
 * | h, c | `states` | 2H |
 * | i, f, g, o | `gates` | 4H |
 * | da, f dc | `slopes` | 5H |
 */
import type { BackwardCall, ForwardCall, OpKernels } from '../../kernels.ts';
import { X, Y, Z, type Tensor } from '../../tensor.ts';
import { transposedWeight, weightGradient } from '../dense.ts';
import { firstRow, joinRows, returnPart, rowsBefore, sumFrames, unitText } from './rows.ts';

interface LstmCellAttributes {
  readonly bias: boolean;
  readonly initial: boolean;
}

/** The tensors by their roles. */
function operands({ inputs, attributes, types }: ForwardCall) {
  const { bias, initial } = attributes as LstmCellAttributes;
  const first = bias ? 3 : 2;
  return {
    units: types[1]!.shape[1]!,
    gx: inputs[0]!,
    weight: inputs[1]!,
    bias: bias ? inputs[2] : undefined,
    initial: initial ? inputs.slice(first, first + 2) : [],
    /** Input number of the initial h; c's is the next. */
    first,
  };
}

export const lstmCell: OpKernels = {
  forward(call, save) {
    const { plan, label, dims, items } = call as ForwardCall;
    const { units: H, gx, weight, bias, initial } = operands(call as ForwardCall);
    const w = transposedWeight(plan, label, weight, 4 * H, H);
    const start = firstRow(plan, label, 2 * H, items, initial);
    const gates = ['ai', 'af', 'ag', 'ao'];
    const body = `${unitText(H)}${gates
      .map((a, g) => `let ${a} = gx[${Z}][frame][i + ${g * H}]${bias ? ` + b[i + ${g * H}]` : ''};\n`)
      .join('')}for (let j = 0; j < ${H}; j++) {
  const h = past[${Z}][0][j];
  ${gates.map((a, g) => `${a} += w[j * ${4 * H} + i + ${g * H}] * h;`).join('\n  ')}
}
const c = logistic(af) * past[${Z}][0][i + ${H}] + logistic(ai) * tangent(ag);
${returnPart(['logistic(ao) * tangent(c)', 'c'])}`;
    const rows: Tensor[] = [];
    for (let frame = 0; frame < dims[1]!; frame++) {
      rows.push(
        plan.run({
          label,
          dims: [2 * H, 1, items],
          inputs: { gx, w, past: rows.at(-1) ?? start, ...(bias ? { b: bias } : {}) },
          scalars: { frame },
          body,
        }),
      );
    }
    const states = joinRows(plan, label, rows);
    save('states', states);
    save('start', start);
    return plan.formula({ label, dims, inputs: { states }, text: `states[${Z}][${Y}][${X}]` });
  },
  adjoint(call) {
    const whole = call as BackwardCall;
    const { plan, label, dims, items, dOutput, saved, wanted, give } = whole;
    const { units: H, gx, weight, bias, initial, first } = operands(whole);
    const frames = dims[1]!;
    const states = saved.get('states')!;
    const past = rowsBefore(plan, label, states, saved.get('start')!);
    const gates = plan.run({
      label: `${label} gates`,
      dims: [4 * H, frames, items],
      inputs: {
        gx,
        w: transposedWeight(plan, label, weight, 4 * H, H),
        past,
        ...(bias ? { b: bias } : {}),
      },
      body: `let sum = gx[${Z}][${Y}][${X}]${bias ? ` + b[${X}]` : ''};
for (let j = 0; j < ${H}; j++) { sum += w[j * ${4 * H} + ${X}] * past[${Z}][${Y}][j]; }
if (${X} >= ${2 * H} && ${X} < ${3 * H}) { return tangent(sum); }
return logistic(sum);`,
    });
    const gate = (g: number): string => `gates[${Z}][frame][i + ${g * H}]`;
    const body = `${unitText(H)}let dh = d[${Z}][frame][i];
for (let row = 0; row < ${4 * H}; row++) { dh += w[row * ${H} + i] * next[${Z}][0][row]; }
const gi = ${gate(0)};
const gf = ${gate(1)};
const gg = ${gate(2)};
const go = ${gate(3)};
const t = tangent(states[${Z}][frame][i + ${H}]);
const dc = next[${Z}][0][i + ${4 * H}] + dh * go * (1 - t * t);
${returnPart([
  'dc * gg * bell(gi)',
  `dc * past[${Z}][frame][i + ${H}] * bell(gf)`,
  'dc * gi * (1 - gg * gg)',
  'dh * t * bell(go)',
  'dc * gf',
])}`;
    const rows: Tensor[] = [];
    const end = firstRow(plan, label, 5 * H, items);
    for (let frame = frames - 1; frame >= 0; frame--) {
      rows.push(
        plan.run({
          label,
          dims: [5 * H, 1, items],
          inputs: { d: dOutput, w: weight, next: rows.at(-1) ?? end, gates, states, past },
          scalars: { frame },
          body,
        }),
      );
    }
    const slopes = joinRows(plan, label, rows.toReversed());
    if (wanted(0)) {
      const text = `slopes[${Z}][${Y}][${X}]`;
      give(0, plan.formula({ label, dims: [4 * H, frames, items], inputs: { slopes }, text }));
    }
    if (wanted(1)) {
      give(1, weightGradient({ plan, label, inputs: [past], dims, dOutput: slopes }, 4 * H, H, 1));
    }
    if (bias && wanted(2)) give(2, sumFrames(plan, label, slopes, 4 * H));
    if (initial.length === 0) return;
    if (wanted(first)) {
      const dh = plan.run({
        label,
        dims: [H, 1, items],
        inputs: { slopes, w: weight },
        body: `let sum = 0;
for (let row = 0; row < ${4 * H}; row++) { sum += w[row * ${H} + ${X}] * slopes[${Z}][0][row]; }
return sum;`,
      });
      give(first, sumFrames(plan, label, dh, H));
    }
    if (wanted(first + 1)) {
      const text = `slopes[${Z}][0][${X} + ${4 * H}]`;
      const dc = plan.run({ label, dims: [H, 1, items], inputs: { slopes }, body: `return ${text};` });
      give(first + 1, sumFrames(plan, label, dc, H));
    }
  },
};
