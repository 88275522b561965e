/**
 * Softmax attention over the last W frames, the weights of every frame being an array:
 *
 *     s[t, j] = scale q[t]·k[t−j],   p = softmax over j,   y[t] = Σⱼ p[t, j] v[t−j]
 *     g[t, j] = dy[t]·v[t−j],   ds = scale p (g − Σⱼ p g)
 *     dq[t] = Σⱼ ds[t, j] k[t−j],   dk[u] = Σⱼ ds[u+j, j] q[u+j],   dv[u] = Σⱼ p[u+j, j] dy[u+j]
 *
 * | symbol | name | numbers a frame |
 * | --- | --- | --- |
 * | s, p, g, ds | `scores`, `weights`, `products`, `slopes` | W · H: heads are neighbours |
 */
import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import { X, Y, Z, type Tensor } from '../tensor.ts';

interface AttentionAttributes {
  readonly window: number;
  readonly scale: number;
}

function sizesOf({ attributes, types, dims }: ForwardCall) {
  const { window, scale } = attributes as AttentionAttributes;
  const [heads, keys] = types[0]!.shape as [number, number];
  const [groups, values] = types[2]!.shape as [number, number];
  const frames = dims[1]!;
  return { scale, heads, keys, groups, values, frames, window: Math.min(window, frames) };
}

/** A number for each head and frame of the window: `value` where that frame is, else 0. */
function perPair(
  { plan, label, items, ...call }: ForwardCall,
  what: string,
  inputs: Readonly<Record<string, Tensor>>,
  value: string,
): Tensor {
  const { heads, groups, frames, window } = sizesOf({ plan, label, items, ...call });
  return plan.run({
    label: `${label} ${what}`,
    dims: [window * heads, frames, items],
    inputs,
    body: `const back = Math.floor((${X} + 0.5) / ${heads});
const head = ${X} - back * ${heads};
const group = Math.floor((head + 0.5) / ${heads / groups});
const frame = ${Y} - back;
if (frame < 0) { return 0; }
${value}`,
  });
}

/** A number for each head, out of all that the window has. */
const perHead = (
  call: ForwardCall,
  what: string,
  inputs: Readonly<Record<string, Tensor>>,
  [initial, step]: readonly [initial: string, step: (place: string) => string],
): Tensor => {
  const { heads, frames, window } = sizesOf(call);
  return call.plan.run({
    label: `${call.label} ${what}`,
    dims: [heads, frames, call.items],
    inputs,
    body: `let all = ${initial};
for (let j = 0; j < ${window}; j++) { if (j <= ${Y}) { ${step(`[${Z}][${Y}][j * ${heads} + ${X}]`)} } }
return all;`,
  });
};

export const slidingAttention: OpKernels = {
  forward(call, save) {
    const whole = call as ForwardCall;
    const { plan, label, dims, inputs } = whole;
    const { scale, heads, keys, groups, values, window } = sizesOf(whole);
    const [q, k, v] = inputs;
    const scores = perPair(
      whole,
      'scores',
      { q: q!, k: k! },
      `let score = 0;
for (let i = 0; i < ${keys}; i++) {
  score += q[${Z}][${Y}][head * ${keys} + i] * k[${Z}][frame][group * ${keys} + i];
}
return ${scale} * score;`,
    );
    const most = perHead(whole, 'largest', { scores }, [
      `scores[${Z}][${Y}][${X}]`,
      (place) => `all = Math.max(all, scores${place});`,
    ]);
    const grown = perPair(
      whole,
      'exponentials',
      { scores, most },
      `return exponential(scores[${Z}][${Y}][${X}] - most[${Z}][${Y}][head]);`,
    );
    const total = perHead(whole, 'total', { grown }, ['0', (place) => `all += grown${place};`]);
    const weights = perPair(
      whole,
      'weights',
      { grown, total },
      `return grown[${Z}][${Y}][${X}] / total[${Z}][${Y}][head];`,
    );
    save('weights', weights);
    return plan.run({
      label: `${label} outputs`,
      dims,
      inputs: { weights, v: v! },
      body: `const head = Math.floor((${X} + 0.5) / ${values});
const element = Math.floor((head + 0.5) / ${heads / groups}) * ${values} + ${X} - head * ${values};
let sum = 0;
for (let j = 0; j < ${window}; j++) {
  if (j <= ${Y}) { sum += weights[${Z}][${Y}][j * ${heads} + head] * v[${Z}][${Y} - j][element]; }
}
return sum;`,
    });
  },
  adjoint(call) {
    const whole = call as BackwardCall;
    const { plan, label, inputs, dOutput, saved, wanted, give } = whole;
    const { scale, heads, keys, groups, values, frames, window } = sizesOf(whole);
    const [q, k, v] = inputs;
    const weights = saved.get('weights')!;
    const shared = heads / groups;
    /** Σ over the frames that looked here, and the heads of the group: `pairs` of a frame times its own `x`. */
    const looked = (role: 'k' | 'v', pairs: Tensor, x: Tensor, size: number): Tensor =>
      plan.run({
        label: `${label} d${role}`,
        dims: [groups * size, frames, whole.items],
        inputs: { pairs, x },
        body: `const group = Math.floor((${X} + 0.5) / ${size});
const place = ${X} - group * ${size};
let sum = 0;
for (let j = 0; j < ${window}; j++) {
  if (${Y} + j < ${frames}) {
    for (let h = 0; h < ${shared}; h++) {
      const head = group * ${shared} + h;
      sum += pairs[${Z}][${Y} + j][j * ${heads} + head] * x[${Z}][${Y} + j][head * ${size} + place];
    }
  }
}
return sum;`,
      });
    if (wanted(2)) give(2, looked('v', weights, dOutput, values));
    if (!wanted(0) && !wanted(1)) return;
    const products = perPair(
      whole,
      'products',
      { d: dOutput, v: v! },
      `let sum = 0;
for (let i = 0; i < ${values}; i++) {
  sum += d[${Z}][${Y}][head * ${values} + i] * v[${Z}][frame][group * ${values} + i];
}
return sum;`,
    );
    const mean = perHead(whole, 'mean', { weights, products }, [
      '0',
      (place) => `all += weights${place} * products${place};`,
    ]);
    const slopes = perPair(
      whole,
      'slopes',
      { weights, products, mean },
      `return ${scale} * weights[${Z}][${Y}][${X}] * (products[${Z}][${Y}][${X}] - mean[${Z}][${Y}][head]);`,
    );
    if (wanted(1)) give(1, looked('k', slopes, q!, keys));
    if (!wanted(0)) return;
    give(
      0,
      plan.run({
        label: `${label} dq`,
        dims: q!.dims,
        inputs: { slopes, k: k! },
        body: `const head = Math.floor((${X} + 0.5) / ${keys});
const element = Math.floor((head + 0.5) / ${shared}) * ${keys} + ${X} - head * ${keys};
let sum = 0;
for (let j = 0; j < ${window}; j++) {
  if (j <= ${Y}) { sum += slopes[${Z}][${Y}][j * ${heads} + head] * k[${Z}][${Y} - j][element]; }
}
return sum;`,
      }),
    );
  },
};
