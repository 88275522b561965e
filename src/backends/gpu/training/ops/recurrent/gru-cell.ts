/**
 * Forward a kernel a frame gives h from that before; where the reset comes before the product with W_n, another gives
 * r ⊙ h first. Backward products and gates are worked out for all frames at once, and a kernel a frame (or two) gives the
 * slopes of the gates' arguments:
 *
 *     dh = dy[k] + z[k+1] dh[k+1] + W_rᵀ da_r[k+1] + W_zᵀ da_z[k+1] + what comes through n
 *     da_z = dh (h[k−1] − n) z(1−z),   da_n = dh (1−z)(1−n²)
 *     reset after:   dq = da_n r,  da_r = da_n q r(1−r),  through n: W_nᵀ dq
 *     reset before:  e = W_nᵀ da_n,  da_r = e h[k−1] r(1−r),  through n: e r
 *
 * | symbol | name | numbers of a row |
 * | --- | --- | --- |
 * | h | `states`; h[k−1] `past` | H |
 * | what W_n meets: h[k−1], or r ⊙ h[k−1] | `seen` | H |
 * | W h + b | `products`, q the last third | 3H |
 * | r, z, n | `gates` | 3H |
 * | da_z, da_n, z dh | `slopes` | 3H |
 * | da_r, and what comes through n: dq, or e r | `resets` | 2H |
 */
import type { BackwardCall, ForwardCall, OpKernels } from '../../kernels.ts';
import { X, Y, Z, type Dims, type Tensor } from '../../tensor.ts';
import { transposedWeight, weightGradient } from '../dense.ts';
import { firstRow, joinRows, returnPart, rowsBefore, sumFrames, unitText } from './rows.ts';

interface GruCellAttributes {
  readonly reset: 'after' | 'before';
  readonly bias: boolean;
  readonly initial: boolean;
}

/** The tensors by their roles. */
function operands({ inputs, attributes, types }: ForwardCall) {
  const { reset, bias, initial } = attributes as GruCellAttributes;
  const first = bias ? 3 : 2;
  return {
    after: reset === 'after',
    units: types[1]!.shape[1]!,
    gx: inputs[0]!,
    weight: inputs[1]!,
    bias: bias ? inputs[2] : undefined,
    initial: initial ? [inputs[first]!] : [],
    /** Input number of the initial h. */
    first,
  };
}

export const gruCell: OpKernels = {
  forward(call, save) {
    const { plan, label, dims, items } = call as ForwardCall;
    const { after, units: H, gx, weight, bias, initial } = operands(call as ForwardCall);
    const w = transposedWeight(plan, label, weight, 3 * H, H);
    const start = firstRow(plan, label, H, items, initial);
    const inputs = { gx, w, ...(bias ? { b: bias } : {}) };
    const begin = (gate: number): string => (bias ? `b[${X} + ${gate * H}]` : '0');
    const input = (gate: number): string => `gx[${Z}][frame][${X} + ${gate * H}]`;
    const product = (name: string, gate: number, from: string): string =>
      `${name} += w[j * ${3 * H} + ${X} + ${gate * H}] * ${from}[${Z}][0][j];`;
    const reset = `let ar = ${begin(0)};
for (let j = 0; j < ${H}; j++) { ${product('ar', 0, 'past')} }
return logistic(${input(0)} + ar) * past[${Z}][0][${X}];`;
    const seen = after ? 'past' : 'held';
    const body = `${after ? `let ar = ${begin(0)};\n` : ''}let az = ${begin(1)};
let q = ${begin(2)};
for (let j = 0; j < ${H}; j++) {
  ${after ? product('ar', 0, 'past') : ''}
  ${product('az', 1, 'past')}
  ${product('q', 2, seen)}
}
const z = logistic(${input(1)} + az);
const n = tangent(${input(2)} + ${after ? `logistic(${input(0)} + ar) * q` : 'q'});
return (1 - z) * n + z * past[${Z}][0][${X}];`;
    const rows: Tensor[] = [];
    const held: Tensor[] = [];
    const row: Dims = [H, 1, items];
    for (let frame = 0; frame < dims[1]!; frame++) {
      const past = rows.at(-1) ?? start;
      const scalars = { frame };
      if (!after)
        held.push(plan.run({ label, dims: row, inputs: { ...inputs, past }, scalars, body: reset }));
      const met = after ? {} : { held: held.at(-1)! };
      rows.push(plan.run({ label, dims: row, inputs: { ...inputs, past, ...met }, scalars, body }));
    }
    const states = joinRows(plan, label, rows);
    save('start', start);
    if (!after) save('held', joinRows(plan, label, held));
    return states;
  },
  adjoint(call) {
    const whole = call as BackwardCall;
    const { plan, label, dims, items, output, saved, wanted, give } = whole;
    const { after, units: H, gx, weight, bias, initial, first } = operands(whole);
    const frames = dims[1]!;
    const past = rowsBefore(plan, label, output, saved.get('start')!);
    const seen = saved.get('held') ?? past;
    const products = plan.run({
      label: `${label} products`,
      dims: [3 * H, frames, items],
      inputs: {
        w: transposedWeight(plan, label, weight, 3 * H, H),
        past,
        seen,
        ...(bias ? { b: bias } : {}),
      },
      body: `let sum = ${bias ? `b[${X}]` : '0'};
if (${X} < ${2 * H}) {
  for (let j = 0; j < ${H}; j++) { sum += w[j * ${3 * H} + ${X}] * past[${Z}][${Y}][j]; }
} else {
  for (let k = 0; k < ${H}; k++) { sum += w[k * ${3 * H} + ${X}] * seen[${Z}][${Y}][k]; }
}
return sum;`,
    });
    const gates = plan.run({
      label: `${label} gates`,
      dims: [3 * H, frames, items],
      inputs: { gx, products },
      body: `const a = gx[${Z}][${Y}][${X}];
const p = products[${Z}][${Y}][${X}];
if (${X} < ${2 * H}) { return logistic(a + p); }
${
  after
    ? `const r = logistic(gx[${Z}][${Y}][${X} - ${2 * H}] + products[${Z}][${Y}][${X} - ${2 * H}]);\nreturn tangent(a + r * p);`
    : 'return tangent(a + p);'
}`,
    });
    const { slopes, resets } = walkBack(whole, { products, gates, past });

    const dGx = plan.run({
      label,
      dims: [3 * H, frames, items],
      inputs: { slopes, resets },
      body: `if (${X} < ${H}) { return resets[${Z}][${Y}][${X}]; }\nreturn slopes[${Z}][${Y}][${X} - ${H}];`,
    });
    // Of W h + b: after the reset of n's part too.
    const dProducts = after
      ? plan.run({
          label,
          dims: [3 * H, frames, items],
          inputs: { slopes, resets },
          body: `if (${X} >= ${H} && ${X} < ${2 * H}) { return slopes[${Z}][${Y}][${X} - ${H}]; }
if (${X} < ${H}) { return resets[${Z}][${Y}][${X}]; }
return resets[${Z}][${Y}][${X} - ${H}];`,
        })
      : dGx;
    give(0, dGx);
    if (wanted(1)) {
      const outer = (x: Tensor, d: Tensor, rows: number): Tensor =>
        weightGradient({ plan, label, inputs: [x], dims, dOutput: d }, rows, H, 1);
      if (after) {
        give(1, outer(past, dProducts, 3 * H));
      } else {
        const ofN: Tensor = plan.formula({
          label,
          dims,
          inputs: { slopes },
          text: `slopes[${Z}][${Y}][${X} + ${H}]`,
        });
        give(1, outer(past, dProducts, 2 * H));
        give(1, outer(seen, plan.array(ofN), H), 2 * H * H);
      }
    }
    if (bias && wanted(2)) give(2, sumFrames(plan, label, dProducts, 3 * H));
    if (initial.length > 0 && wanted(first)) {
      const dh = plan.run({
        label,
        dims: [H, 1, items],
        inputs: { slopes, resets, w: weight },
        body: `let dh = 0;\n${throughGates(after, H, X, 'slopes', 'resets')}return dh;`,
      });
      give(first, sumFrames(plan, label, dh, H));
    }
  },
};

/** Statements that add to `dh` of unit `i` what the next frame's slopes say, which stand first in these arrays. */
const throughGates = (after: boolean, H: number, i: string, slopes: string, resets: string): string =>
  `dh += ${slopes}[${Z}][0][${i} + ${2 * H}]${after ? '' : ` + ${resets}[${Z}][0][${i} + ${H}]`};
for (let j = 0; j < ${H}; j++) {
  dh += w[j * ${H} + ${i}] * ${resets}[${Z}][0][j] + w[(j + ${H}) * ${H} + ${i}] * ${slopes}[${Z}][0][j]${
    after ? ` + w[(j + ${2 * H}) * ${H} + ${i}] * ${resets}[${Z}][0][j + ${H}]` : ''
  };
}
`;

/** `slopes` and `resets` of all frames. */
function walkBack(
  call: BackwardCall,
  { products, gates, past }: { readonly products: Tensor; readonly gates: Tensor; readonly past: Tensor },
): { readonly slopes: Tensor; readonly resets: Tensor } {
  const { plan, label, dims, items, dOutput } = call;
  const { after, units: H, weight } = operands(call);
  const gate = (g: number): string => `gates[${Z}][frame][i + ${g * H}]`;
  const slopeBody = `${unitText(H)}let dh = d[${Z}][frame][i];
${throughGates(after, H, 'i', 'next', 'resets')}const z = ${gate(1)};
const n = ${gate(2)};
${returnPart([`dh * (past[${Z}][frame][i] - n) * bell(z)`, 'dh * (1 - z) * (1 - n * n)', 'dh * z'])}`;
  const resetBody = after
    ? `${unitText(H)}const r = ${gate(0)};
const dn = slopes[${Z}][0][i + ${H}];
${returnPart([`dn * products[${Z}][frame][i + ${2 * H}] * bell(r)`, 'dn * r'])}`
    : `${unitText(H)}const r = ${gate(0)};
let e = 0;
for (let j = 0; j < ${H}; j++) { e += w[(j + ${2 * H}) * ${H} + i] * slopes[${Z}][0][j + ${H}]; }
${returnPart([`e * past[${Z}][frame][i] * bell(r)`, 'e * r'])}`;
  const slopes: Tensor[] = [];
  const resets: Tensor[] = [];
  const ends = [firstRow(plan, label, 3 * H, items), firstRow(plan, label, 2 * H, items)] as const;
  for (let frame = dims[1]! - 1; frame >= 0; frame--) {
    const scalars = { frame };
    slopes.push(
      plan.run({
        label,
        dims: [3 * H, 1, items],
        inputs: {
          d: dOutput,
          w: weight,
          next: slopes.at(-1) ?? ends[0],
          resets: resets.at(-1) ?? ends[1],
          gates,
          past,
        },
        scalars,
        body: slopeBody,
      }),
    );
    resets.push(
      plan.run({
        label,
        dims: [2 * H, 1, items],
        inputs: { w: weight, slopes: slopes.at(-1)!, products, gates, past },
        scalars,
        body: resetBody,
      }),
    );
  }
  return {
    slopes: joinRows(plan, label, slopes.toReversed()),
    resets: joinRows(plan, label, resets.toReversed()),
  };
}
