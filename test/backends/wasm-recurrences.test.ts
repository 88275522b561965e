import { describe, expect, it } from 'vitest';
import { planReference, reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { foh, trapezoidal, zoh, zohEuler } from '../../src/discretize/index.ts';
import { random, type Random } from '../../src/init/index.ts';
import * as ops from '../../src/ops/index.ts';
import { retentionChunkScale } from '../../src/ops/retention-chunk-scale.ts';
import { opByName, sizeOf, type Shape, type Signal } from '../../src/signal/index.ts';
import { compile, type CompileOptions } from '../../src/stream/index.ts';
import { drawParameters, opModel, type OpCase } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { float32, kernelsOf } from '../support/wasm-kernels.ts';

const between = (low: number, high: number) => (shape: Shape, source: Random) =>
  Float64Array.from({ length: sizeOf(shape) }, () => source.uniform(low, high));

interface KernelCase extends Pick<OpCase, 'inputs' | 'build' | 'frames' | 'input' | 'tolerance'> {
  readonly name: string;
  /** The op that has to have a kernel. */
  readonly op: string;
  readonly precision?: CompileOptions['precision'];
}

const cases: KernelCase[] = [];
const add = (op: string, name: string, rest: Omit<KernelCase, 'op' | 'name'>): void => {
  cases.push({ op, name: `${op}: ${name}`, ...rest });
};

/** Mamba's scan: dt in a few sharings, b and c by frame or still, whole groups of four states and what is left. */
for (const [channels, states, dtRows, rows] of [
  [8, 4, 8, 1],
  [7, 5, 7, 1],
  [8, 3, 2, 2],
  [5, 1, 1, 1],
  [16, 16, 16, 4],
] as const) {
  for (const still of [false, true]) {
    add(
      'diagonal-scan',
      `selective, ${channels} × ${states}, dt (${dtRows}), b (${rows})${still ? ' still' : ''}`,
      {
        inputs: {
          input: [channels],
          dt: [dtRows],
          ...(still ? {} : { b: [rows, states], c: [rows, states] }),
        },
        build: (t, { input, dt, b, c }) =>
          ops.diagonalScan(input!, {
            a: t.parameter('a', [channels, states], between(-3, 0)),
            b: b ?? t.parameter('b', [rows, states]),
            c: c ?? t.parameter('c', [rows, states]),
            dt: ops.softplus(dt!),
            method: zohEuler.diagonal,
          }),
      },
    );
  }
}

for (const units of [1, 5, 16, 33]) {
  for (const bare of [false, true]) {
    const form = `${units} units${bare ? ', no bias, no initial state' : ''}`;
    const rest = (t: Parameters<OpCase['build']>[0], gates: number) => ({
      weight: t.parameter('weight', [gates * units, units], between(-0.4, 0.4)),
      ...(bare ? {} : { bias: t.parameter('bias', [gates * units]) }),
    });
    const initial = (t: Parameters<OpCase['build']>[0], name: string): Signal => t.parameter(name, [units]);
    add('lstm-cell', form, {
      inputs: { input: [4 * units] },
      build: (t, { input }) =>
        ops.lstmCell(input!, {
          ...rest(t, 4),
          ...(bare ? {} : { initial: { h: initial(t, 'h0'), c: initial(t, 'c0') } }),
        }),
    });
    for (const reset of ['after', 'before'] as const) {
      add('gru-cell', `reset ${reset}, ${form}`, {
        inputs: { input: [3 * units] },
        build: (t, { input }) =>
          ops.gruCell(input!, { ...rest(t, 3), reset, ...(bare ? {} : { initial: initial(t, 'h0') }) }),
      });
    }
  }
}

for (const [window, heads, groups, keys, values] of [
  [1, 1, 1, 4, 4],
  [6, 4, 2, 3, 5],
  [37, 2, 1, 16, 20],
  [300, 3, 3, 6, 33],
] as const) {
  add('sliding-attention', `window ${window}, ${heads} heads on ${groups}, keys ${keys}, values ${values}`, {
    inputs: { input: [heads, keys], k: [groups, keys], v: [groups, values] },
    build: (_t, { input, k, v }) => ops.slidingAttention(input!, k!, v!, { window }),
    frames: 350,
  });
}

for (const [channels, states, rank] of [
  [1, 1, 1],
  [3, 5, 1],
  [4, 4, 3],
] as const) {
  for (const precision of ['auto', 'float32'] as const) {
    add('dplr-scan', `${channels} × ${states}, rank ${rank}, ${precision}`, {
      inputs: { input: [channels] },
      precision,
      build: (t, { input }) =>
        ops.dplrScan(input!, {
          lambda: t.parameter('lambda', [channels, states, 2], (shape: Shape, source: Random) =>
            Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
              i % 2 === 0 ? source.uniform(-2, -0.2) : source.uniform(-4, 4),
            ),
          ),
          p: t.parameter('p', [rank, channels, states, 2], between(-0.8, 0.8)),
          b: t.parameter('b', [channels, states, 2]),
          c: t.parameter('c', [channels, states, 2]),
          dt: t.parameter('dt', [channels], between(0.05, 0.4)),
        }),
    });
  }
}

for (const [heads, keys, values] of [
  [1, 1, 1],
  [2, 3, 11],
  [4, 5, 16],
] as const) {
  const qkv = { input: [heads, keys], k: [1, keys], v: [heads, values] } as const;
  for (const precision of ['auto', 'float32'] as const) {
    add('matrix-scan', `endless, ${heads} × ${keys} × ${values}, ${precision}`, {
      inputs: qkv,
      precision,
      build: (_t, { input, k, v }) => ops.matrixScan({ q: input!, k: k!, v: v!, endless: true }),
    });
  }
  add('matrix-scan', `endless with a decay by frame, read before, ${heads} × ${keys} × ${values}`, {
    inputs: { ...qkv, w: [heads, keys] },
    build: (_t, { input, k, v, w }) =>
      ops.matrixScan({ q: input!, k: k!, v: v!, decay: ops.sigmoid(w!), endless: true, readOut: 'before' }),
  });
}

for (const [keys, values, chunk] of [
  [3, 5, 1],
  [4, 8, 7],
  [9, 18, 32],
] as const) {
  add('retention-chunk-scale', `keys ${keys}, values ${values}, chunks of ${chunk}`, {
    inputs: { input: [2, keys], k: [2, keys], v: [2, values] },
    build: (_t, { input, k, v }) =>
      retentionChunkScale({ q: input!, k: k!, v: v! }, { gamma: Float64Array.of(0.97, 0.9), chunk }),
  });
}

for (const channels of [1, 2, 5]) {
  add('wkv', `${channels} channels`, {
    inputs: { input: [channels], value: [channels] },
    build: (t, { input, value }) =>
      ops.wkv({
        key: ops.mul(input!, 3),
        value: value!,
        decay: t.parameter('decay', [channels], between(-2, -0.001)),
        bonus: t.parameter('bonus', [channels]),
      }),
  });
}

for (const layout of ['half', 'interleaved'] as const) {
  for (const angles of [[0.3], [1, -0.01, 2.5, 1e-4, 4], [0.1, 0.2, 0.3, 7]]) {
    add('rotary', `${layout}, ${angles.length} pairs`, {
      inputs: { input: [3, 2 * angles.length] },
      build: (_t, { input }) => ops.rotary(input!, { angles, layout }),
    });
  }
}

for (const [inputs, states, outputs] of [
  [1, 1, 1],
  [1, 2, 1],
  [2, 3, 2],
  [3, 4, 5],
] as const) {
  for (const arithmetic of ['float64', 'signal'] as const) {
    add('state-space', `${inputs} → ${states} → ${outputs}, ${arithmetic}`, {
      inputs: { input: [inputs] },
      build: (t, { input }) =>
        ops.stateSpace(
          input!,
          {
            A: t.parameter('A', [states, states], between(-0.25, 0.25)),
            B: t.parameter('B', [states, inputs]),
            C: t.parameter('C', [outputs, states]),
            D: t.parameter('D', [outputs, inputs]),
          },
          arithmetic,
        ),
    });
  }
}

for (const [channels, states] of [
  [3, 1],
  [2, 5],
  [4, 8],
] as const) {
  const forms = [
    { form: 'real', complexInput: false, complex: false },
    { form: 'complex', complexInput: false, complex: true },
    { form: 'of complex input', complexInput: true, complex: true },
  ];
  for (const { form, complexInput, complex } of forms) {
    for (const method of [foh.diagonal, trapezoidal.diagonal]) {
      for (const contracted of [true, false]) {
        add(
          'diagonal-scan',
          `${method.name}, ${form}, ${channels} × ${states}${contracted ? '' : ', its state'}`,
          {
            inputs: { input: [channels], ...(complexInput ? { im: [channels] as const } : {}) },
            ...(contracted ? {} : { precision: 'float32' as const }),
            build: (t, { input, im }) => {
              const parameter = (name: string, low: number, high: number): Signal =>
                t.parameter(name, [channels, states], between(low, high));
              const pair = (name: string): ops.ComplexSignal =>
                complex
                  ? { re: parameter(`${name}Re`, -1, 1), im: parameter(`${name}Im`, -1, 1) }
                  : parameter(`${name}Re`, -1, 1);
              const re = parameter('aRe', -2, -0.2);
              return ops.diagonalScan(im ? { re: input!, im } : input!, {
                a: complex ? { re, im: parameter('aIm', -4, 4) } : re,
                b: pair('b'),
                c: contracted ? pair('c') : undefined,
                dt: t.parameter('dt', [channels, 1], between(0.05, 0.4)),
                method,
              });
            },
          },
        );
      }
    }
  }
}

const five = { input: [5] } as const;
const rows = { input: [3, 7] } as const;
add('clamp', 'two bounds', { inputs: five, build: (_t, { input }) => ops.clamp(input!, -0.5, 0.7) });
add('clamp', 'one bound', { inputs: five, build: (_t, { input }) => ops.clamp(input!, 0.1, Infinity) });
add('maximum', 'of rows', { inputs: rows, build: (_t, { input }) => ops.maximum(input!) });
add('running-maximum', 'and rise', {
  inputs: five,
  build: (_t, { input }) => {
    const { max, rise } = ops.runningMaximum(input!);
    return ops.concat([max, rise]);
  },
});
add('phase', 'of increments', {
  inputs: five,
  // Angles jump where they wrap: a function of them does not.
  build: (_t, { input }) => ops.sin(ops.phase(ops.mul(ops.tanh(input!), 3))),
});
add('sin', 'of many turns', { inputs: five, build: (_t, { input }) => ops.sin(ops.mul(input!, 8)) });
add('cos', 'of many turns', { inputs: five, build: (_t, { input }) => ops.cos(ops.mul(input!, 8)) });
for (const pool of [ops.averagePool, ops.maxPool]) {
  add('pool', `${pool.name} of 3 frames, every 2`, {
    inputs: five,
    build: (_t, { input }) => pool(input!, 3, 2),
  });
}
add('running-mean', 'of all', { inputs: five, build: (_t, { input }) => ops.runningMean(input!) });
add('running-mean', 'of about 20, with a prior', {
  inputs: five,
  build: (_t, { input }) => ops.runningMean(input!, { memory: 20, prior: { value: 1, frames: 4 } }),
});
add('running-mean', 'of about 20 at a third of the rate', {
  inputs: five,
  build: (t, { input }) =>
    ops.runningMean(input!, { memory: 20, prior: { value: 1, frames: 4 }, scale: t.literal(3) }),
});
add('at-start', 'marks the first frame', {
  inputs: five,
  build: (_t, { input }) => ops.mul(input!, ops.add(ops.atStart(input!), 0.5)),
});
add('stop-gradient', 'is a copy', { inputs: five, build: (_t, { input }) => ops.stopGradient(input!) });
add('last', 'comes at the end', { inputs: five, build: (_t, { input }) => ops.last(input!) });
add('every-frame', 'repeats a constant', {
  inputs: five,
  build: (t, { input }) => ops.add(input!, ops.everyFrame(input!, t.parameter('c', [5]))),
});
add('add', 'a signal to a constant of more numbers', {
  inputs: { input: [1, 5] },
  build: (t, { input }) => ops.add(t.parameter('c', [3, 5]), input!),
});
add('sub', 'a number from a constant of many', {
  inputs: { input: [1] },
  build: (t, { input }) => ops.sub(input!, t.parameter('c', [6])),
});

for (const [size, hop] of [
  [1, 1],
  [2, 1],
  [8, 3],
  [12, 5],
  [15, 4],
  [32, 8],
  [100, 40],
  [128, 64],
] as const) {
  for (const padding of ['causal', 'centre', 'valid'] as const) {
    add('stft', `${size} by ${hop}, ${padding}`, {
      inputs: { input: [size === 12 ? 2 : 1] },
      build: (_t, { input }) => ops.stft(input!, { size, hop, padding, window: 'hamming' }),
      frames: 400,
    });
    if (size === 1 || (padding === 'centre' && hop > size / 2)) continue;
    add('inverse-stft', `${size} by ${hop}, ${padding}`, {
      inputs: { input: [size === 12 ? 2 : 1] },
      build: (t, { input }) => {
        const frames = { size, hop, padding, window: 'hamming' } as const;
        const mask = t.parameter('mask', [2, Math.floor(size / 2) + 1]);
        return ops.inverseStft(ops.mul(ops.stft(input!, frames), mask), frames);
      },
      frames: 400,
    });
  }
}

const backends = [wasm(), wasm({ deterministic: true })];

describe.each(backends)('$name', (backend) => {
  it.each(cases)('$name: has a kernel, within 1e-5 of the reference in float64', (test) => {
    const model = opModel(test);
    const { frames = 300, precision = 'auto' } = test;
    expect(kernelsOf(model, backend, precision)).toContain(test.op);
    const parameters = drawParameters(model, 21);
    const source = random(5);
    const inputs = Object.fromEntries(
      Object.entries(test.inputs).map(([port, shape]) => [
        port,
        Float32Array.from({ length: frames * sizeOf(shape) }, () => source.normal()),
      ]),
    );
    const run = (options: CompileOptions): number[] => {
      const stream = compile(model, parameters, options);
      return [...stream.push(inputs), ...stream.flush()];
    };
    const ours = run({ backend, precision });
    const exact = run({ backend: reference, precision: 'float64' });
    expect(relativeError(ours, exact)).toBeLessThanOrEqual(1e-5);
  });
});

// The smallest and the oddest of every op, through the whole contract of a stream.
const seen = new Map<string, number>();
for (const test of cases) {
  const count = (seen.get(test.op) ?? 0) + 1;
  seen.set(test.op, count);
  if (count % 8 !== 2 && count !== 1) continue;
  const model = opModel(test);
  verifyStream({
    name: `${test.name} on WASM`,
    model,
    parameters: drawParameters(model, 21),
    options: { backend: backends[0]!, precision: test.precision ?? 'auto' },
    frames: test.frames ?? 300,
  });
}

describe('kernels of long streams', () => {
  it.each([0, 2 ** 31 + 5, 2 ** 45 + 12_345, 2 ** 52 + 1])(
    'turn by the frame’s number, frame %d',
    (first) => {
      const op = opByName('rotary')!;
      const attributes = { angles: [1, 0.001, -2.5, 3], layout: 'half' };
      const types = [{ shape: [8], rate: { numerator: 1, denominator: 1 } }];
      const prepared: unknown = op.prepare!({ attributes, types, constants: [undefined], precision: 'auto' });
      const request = { op, attributes, types, prepared, constants: [undefined], precision: 'auto' as const };
      const [ours, exact] = [backends[0]!.plan(request)!, planReference(request)].map((plan) => {
        const arena = backends[0]!.open(plan.bytes + 256);
        const view = (at: number): Float32Array => new Float32Array(arena.buffer, at, 8);
        const node = {
          stateAt: 0,
          inputs: [{ data: view(0).fill(1), at: 0 }],
          output: { data: view(64), at: 0 },
          state: {},
        };
        plan.pack?.(arena, 128, node);
        plan.bind(arena, 128, node).run(1, first);
        return view(64);
      });
      expect(relativeError(ours!, exact!)).toBeLessThanOrEqual(1e-6);
    },
  );

  it('keep a slow selective mode: half a million frames of a constant', () => {
    const model = opModel({
      name: 'slow',
      inputs: { input: [4], dt: [4] },
      build: (t, { input, dt }) =>
        ops.diagonalScan(input!, {
          a: t.literal([-1, -1, -1, -1], [4, 1]),
          b: t.literal([1], [1, 1]),
          c: t.literal([1], [1, 1]),
          dt: dt!,
          method: zohEuler.diagonal,
        }),
    });
    const frames = 50_000;
    const input = new Float32Array(4 * frames).fill(1);
    const dt = new Float32Array(4 * frames).fill(1e-3);
    const ours = compile(model, {}, { backend: backends[0]! }).push({ input, dt });
    // h = dt Σ e^(−k dt): dt / (1 − e^−dt).
    expect(Math.abs(ours.at(-1)! / (Math.fround(1e-3) / -Math.expm1(-Math.fround(1e-3))) - 1)).toBeLessThan(
      1e-4,
    );
  });

  it('a step so long that nothing is left gives zeros and no garbage', () => {
    const model = opModel({
      name: 'long step',
      inputs: { input: [4], dt: [1] },
      build: (t, { input, dt }) =>
        ops.diagonalScan(input!, {
          a: t.literal([-1, -100, -1e4, 0], [4, 1]),
          b: t.literal([1], [1, 1]),
          c: t.literal([1], [1, 1]),
          dt: dt!,
          method: zohEuler.diagonal,
        }),
    });
    const stream = compile(model, {}, { backend: backends[0]! });
    stream.push({ input: Float32Array.of(1, 1, 1, 1), dt: Float32Array.of(1) });
    const y = stream.push({ input: new Float32Array(4), dt: Float32Array.of(1e3) });
    expect([...y]).toEqual([0, 0, 0, 1]);
  });

  it('forget to exact zeros: cells without a bias, and the scans', () => {
    const model = opModel({
      name: 'fading',
      inputs: { input: [16] },
      build: (t, { input }) =>
        ops.lstmCell(input!, { weight: t.literal(new Array<number>(64).fill(0.01), [16, 4]) }),
    });
    const stream = compile(model, {}, { backend: backends[0]! });
    stream.push(new Float32Array(16).fill(1));
    stream.push(new Float32Array(16 * 400));
    const saved = stream.push(new Float32Array(16));
    expect(saved.every((value) => value === 0)).toBe(true);
  });

  it('leave to the reference what needs it: a dt by frame of S4, methods of the previous input, float64', () => {
    const scan = opModel({
      name: 'foh',
      inputs: { input: [2] },
      build: (t, { input }) =>
        ops.diagonalScan(input!, { a: t.literal([-1, -2], [2, 1]), method: zoh.diagonal }),
    });
    expect(kernelsOf(scan, backends[0]!, 'float64')).toEqual([]);
    expect(kernelsOf(scan, backends[0]!)).toContain('diagonal-scan');
  });
});

describe.each(backends)('functions of one number on $name', (backend) => {
  const { exp, tanh, sigmoid, softplus, silu, gelu, geluTanh, sin, cos, log } = ops;
  const functions = { exp, tanh, sigmoid, softplus, silu, gelu, geluTanh, sin, cos, log };
  it.each(Object.entries(functions))('%s is within 1e-6 of the exact one, and NaN stays NaN', (name, f) => {
    const model = opModel({ name, inputs: { input: [1] }, build: (_t, { input }) => f(input!) });
    const low = name === 'log' ? 1e-30 : -80;
    const input = Float32Array.from({ length: 4001 }, (_, i) => low + ((80 - low) * i) / 4000);
    const ours = compile(model, {}, { backend }).push(float32({ input }));
    const exact = compile(model, {}, { backend: reference, precision: 'float64' }).push({
      input: Float64Array.from(input),
    });
    // sin and cos are of the size of 1, and so is what gelu keeps of a number far below 0.
    const least = ['sin', 'cos', 'gelu', 'geluTanh', 'log'].includes(name) ? 1 : 1e-30;
    ours.forEach((value, i) => {
      expect(Math.abs(value - exact[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(Math.abs(exact[i]!), least));
    });
    const odd = opModel({
      name,
      inputs: { input: [1] },
      build: (_t, { input: x }) => f(ops.sqrt(x!)),
    });
    expect([...compile(odd, {}, { backend }).push(Float32Array.of(-1, 4))][0]).toBeNaN();
  });
});
