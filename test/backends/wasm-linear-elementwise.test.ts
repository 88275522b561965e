import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import * as ops from '../../src/ops/index.ts';
import type { Shape, Signal, Trace } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { drawInputs, drawParameters, opModel, type OpCase } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { float32, kernelsOf } from '../support/wasm-kernels.ts';

const backends = [wasm(), wasm({ deterministic: true })];

const functions: readonly (readonly [name: string, f: (x: Signal) => Signal])[] = [
  ['neg', ops.neg],
  ['abs', ops.abs],
  ['square', ops.square],
  ['sqrt', ops.sqrt],
  ['reciprocal', ops.reciprocal],
  ['relu', ops.relu],
  ['exp', ops.exp],
  ['log', ops.log],
  ['tanh', ops.tanh],
  ['sigmoid', ops.sigmoid],
  ['softplus', ops.softplus],
  ['silu', ops.silu],
  ['gelu', ops.gelu],
  ['gelu-tanh', ops.geluTanh],
];
/** Those that IEEE 754 rounds correctly. */
const EXACT = new Set(['neg', 'abs', 'square', 'sqrt', 'reciprocal', 'relu']);

const one = (f: (x: Signal) => Signal, width: number): OpCase => ({
  name: 'one',
  inputs: { input: [width] },
  build: (_t, { input }) => f(input!),
});

const twoSignals = (f: (a: Signal, b: Signal) => Signal, shape: Shape): OpCase => ({
  name: 'two',
  inputs: { input: shape, other: shape },
  build: (_t, { input, other }) => f(input!, other!),
});

/** Every size and both signs: from 1e-30 to 1e30, and close steps from −110 to 110. */
const sweep = Float32Array.from([
  ...Array.from({ length: 1201 }, (_, i) => (i % 2 ? -1 : 1) * 10 ** (-30 + i / 20)),
  ...Array.from({ length: 8801 }, (_, i) => -110 + i / 40),
]);

describe.each(backends)('functions of one number on $name', (backend) => {
  const apply = (f: (x: Signal) => Signal, x: Float32Array, options: object): Float32Array | Float64Array =>
    compile(opModel(one(f, 1)), {}, options).push(x);

  it.each(functions)('%s is that of float64, to a millionth of its value', (name, f) => {
    expect(kernelsOf(opModel(one(f, 3)), backend)).toEqual([name]);
    const x = name === 'log' || name === 'sqrt' ? sweep.map(Math.abs) : sweep;
    const ours = apply(f, x, { backend });
    const exact = apply(f, x, { backend: reference, precision: 'float64' });
    for (let i = 0; i < x.length; i++) {
      const [y, t] = [ours[i]!, Math.fround(exact[i]!)];
      if (EXACT.has(name)) {
        // Products below 2⁻¹⁰⁰ are 0, as state is.
        const isSilent = name === 'square' && Math.abs(t) < 2 ** -100;
        expect(y, `${name}(${x[i]})`).toBe(isSilent ? 0 : t);
        continue;
      }
      if (y === t) continue;
      const least = 2e-38 * Math.max(1, Math.abs(x[i]!));
      // Of the tails, where the value vanishes, an absolute millionth of a millionth; subnormal numbers are 0.
      const scale = name === 'gelu' || name === 'gelu-tanh' ? Math.max(Math.abs(t), 0.1) : Math.abs(t);
      expect(Math.abs(y - t), `${name}(${x[i]}) is ${y}, not ${t}`).toBeLessThanOrEqual(1e-6 * scale + least);
    }
  });

  it.each(functions)('%s of 0, of infinity and of NaN', (name, f) => {
    // No stream takes in what is not finite; quotients make it inside.
    const x = [0, -0, Infinity, -Infinity, NaN, 3.4e38, -3.4e38, 1e-45];
    const inputs = {
      input: Float32Array.from(x, (value) => (Number.isFinite(value) ? value : Math.sign(value) || 0)),
      other: Float32Array.from(x, (value) => (Number.isFinite(value) ? 1 : 0)),
    };
    const model = opModel(twoSignals((a, b) => f(ops.div(a, b)), [1]));
    const ours = compile(model, {}, { backend }).push(inputs);
    const theirs = compile(model, {}, { backend: reference, precision: 'float32' }).push(inputs);
    expect(compile(opModel(twoSignals(ops.div, [1])), {}, { backend }).push(inputs)).toEqual(
      Float32Array.from(x),
    );
    for (let i = 0; i < x.length; i++) {
      const [y, t] = [ours[i]! + 0, theirs[i]! + 0];
      const message = `${name}(${x[i]}) is ${y}, not ${t}`;
      if (Number.isFinite(t))
        expect(Math.abs(y - t), message).toBeLessThanOrEqual(1e-6 * Math.abs(t) + 2e-38);
      else expect(y, message).toBe(t);
    }
  });
});

const binaries = { add: ops.add, sub: ops.sub, mul: ops.mul, div: ops.div };

/** Shapes of a signal and of what meets it. */
const constants: readonly (readonly [Shape, Shape])[] = [
  [[8], []],
  [[8], [8]],
  [[7], [7]],
  [[7], [1]],
  [[1], [1]],
  [[3, 5], [5]],
  [
    [3, 5],
    [3, 1],
  ],
];

const broadcast = (f: (a: Signal, b: Signal) => Signal, a: Shape, b: Shape): OpCase => ({
  name: 'broadcast',
  inputs: { input: a, other: b },
  build: (_t, { input, other }) => f(input!, other!),
});

/** Shapes of two signals, one or both of which broadcast. */
const broadcasts: readonly (readonly [Shape, Shape])[] = [
  [
    [3, 4],
    [3, 1],
  ],
  [
    [3, 1],
    [3, 7],
  ],
  [[5], [1]],
  [[1], [5]],
  [
    [1, 6],
    [3, 1],
  ],
  [
    [2, 3, 5],
    [3, 1],
  ],
  [
    [2, 1, 4],
    [2, 3, 4],
  ],
  [
    [2, 1, 1],
    [1, 3, 1],
  ],
];

const withConstant = (
  f: (a: Signal, b: Signal) => Signal,
  shape: Shape,
  other: Shape,
  isFirst: boolean,
): OpCase => ({
  name: 'constant',
  inputs: { input: shape },
  build(t, { input }) {
    const c = t.parameter('c', other);
    return isFirst ? f(c, input!) : f(input!, c);
  },
});

const moves: readonly OpCase[] = (
  [
    ['slice of the last axis', [6], (x) => ops.slice(x, 1, 4)],
    ['slice of the first axis', [4, 3], (x) => ops.slice(x, 1, 2, 0)],
    ['slice of the middle', [2, 5, 3], (x) => ops.slice(x, 1, 3, 1)],
    ['concat', [7], (x) => ops.concat([x, ops.neg(x), ops.slice(x, 2, 3)])],
    ['concat with a constant', [3], (x, t) => ops.concat([x, t.literal([1, 2, 3, 4, 5], [5]), x])],
    ['reshape', [6], (x) => ops.reshape(x, [2, 3])],
    ['expand', [3, 1], (x) => ops.expand(x, [3, 4])],
    ['permute', [3, 4], (x) => ops.permute(x, [1, 0])],
    ['frames to channels', [3], (x) => ops.framesToChannels(x, 4)],
    ['channels to frames', [6], (x) => ops.channelsToFrames(x, 3)],
    ['skip', [5], (x) => ops.skip(x, 3)],
    ['delay', [5], (x) => ops.delay(x, 4)],
    ['advance', [3], (x) => ops.advance(x, 2)],
  ] satisfies (readonly [string, Shape, (x: Signal, t: Trace) => Signal])[]
).map(([name, shape, f]) => ({
  name,
  inputs: { input: shape as Shape },
  build: (t, { input }) => f(input!, t),
}));

const cases: readonly { readonly name: string; readonly test: OpCase }[] = [
  ...Object.entries(binaries).flatMap(([name, f]) => [
    ...[[8], [7], [1], [2, 3]].map((shape) => ({
      name: `${name} of two [${shape}]`,
      test: twoSignals(f, shape),
    })),
    ...constants.flatMap(([shape, other]) =>
      [false, true].map((isFirst) => ({
        name: `${name} of [${shape}] and a ${isFirst ? 'first' : 'second'} constant [${other}]`,
        test: withConstant(f, shape, other, isFirst),
      })),
    ),
  ]),
  ...Object.entries(binaries).flatMap(([name, f]) =>
    broadcasts.map(([a, b]) => ({ name: `${name} of [${a}] and [${b}]`, test: broadcast(f, a, b) })),
  ),
  ...moves.map((test) => ({ name: test.name, test })),
];

describe.each(backends)('arithmetic and movement on $name', (backend) => {
  it.each(cases)('$name: the bits of the reference', ({ test }) => {
    const model = opModel(test);
    const parameters = drawParameters(model, 3);
    const inputs = float32(drawInputs(model, 301, 4));
    expect(kernelsOf(model, backend)).not.toEqual([]);
    const [ours, theirs] = [backend, reference].map((used) => {
      const stream = compile(model, parameters, { backend: used });
      return [...stream.push(inputs), ...stream.flush()];
    });
    expect(ours).toEqual(theirs);
  });
});

describe.each(backends)('norms on $name', (backend) => {
  it.each([
    { width: 8, options: {} },
    { width: 7, options: {} },
    { width: 1, options: {} },
    { width: 30, options: { groups: 3 } },
    { width: 28, options: { groups: 4, eps: 0.1 } },
    { width: 19, options: { centre: false } },
  ])(
    '$width numbers, $options: within 1e-6 of float64, a thousand away from 0 as well',
    ({ width, options }) => {
      const model = opModel(one((x) => ops.normalise(x, options), width));
      const drawn = drawInputs(model, 200, 9)['input']!;
      expect(kernelsOf(model, backend)).toEqual(['normalise']);
      for (const offset of [0, 1000]) {
        const input = Float32Array.from(drawn, (x) => x + offset);
        const ours = compile(model, {}, { backend }).push(input);
        const exact = compile(model, {}, { backend: reference, precision: 'float64' }).push(input);
        // Of one number alone the norm is 0 but for rounding.
        if (width === 1) expect([...ours]).toEqual([...exact].map(Math.fround));
        else expect(relativeError(ours, exact)).toBeLessThanOrEqual(1e-6);
      }
    },
  );
});

for (const test of [
  { ...one((x) => ops.gelu(ops.add(x, ops.silu(ops.mul(x, 0.7)))), 5), name: 'gelu and silu' },
  {
    ...one((x) => ops.normalise(ops.softplus(ops.slice(x, 1, 6))), 7),
    name: 'norm of softplus of a slice',
  },
  {
    ...one((x) => ops.mul(ops.delay(ops.reshape(x, [2, 3]), 5), ops.slice(ops.reshape(x, [2, 3]), 1, 1)), 6),
    name: 'a delay by a gate',
  },
  {
    ...one((x) => ops.framesToChannels(ops.tanh(ops.channelsToFrames(x, 3)), 2), 6),
    name: 'frames and channels',
  },
]) {
  const model = opModel(test);
  verifyStream({
    ...test,
    name: `${test.name} on WASM`,
    model,
    parameters: drawParameters(model, 3),
    options: { backend: backends[0]! },
    frames: 400,
  });
}
