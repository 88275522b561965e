import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamBackend } from '../../src/backends/backend.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { random } from '../../src/init/index.ts';
import { mamba, retention, s4d } from '../../src/layers/index.ts';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, sequential, type Layer, type Signal, type Trace } from '../../src/signal/index.ts';
import { compile, openSnapshot, type Stream } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { drawParameters } from '../contract/op.ts';
import { relativeError } from '../contract/stream.ts';
import { withFrames } from '../support/snapshots.ts';

/** The same kernels, but JavaScript walks: `Executor` instead of the plan. */
const walkedByJavaScript: StreamBackend = {
  ...wasm(),
  name: 'wasm kernels, JavaScript walk',
  open(bytes) {
    const {
      walk: _walk,
      batch: _batch,
      ...arena
    } = wasm().open(bytes) as Required<ReturnType<StreamBackend['open']>>;
    return arena;
  },
};

/** An op that has no kernel: the walk comes back to JavaScript for it. */
const withoutKernel = (op: string): StreamBackend => {
  const inner = wasm();
  return { ...inner, plan: (request) => (request.op.name === op ? undefined : inner.plan(request)) };
};

type Step = (trace: Trace, x: Signal) => Signal;

/** Everything about timing: windows to either side, strides, several frames a firing, surplus at the end, joins. */
const steps: Readonly<Record<string, Step>> = {
  tanh: (_, x) => ops.tanh(x),
  delay: (_, x) => ops.delay(x, 3),
  ahead: (_, x) => ops.advance(x, 2),
  gate: (_, x) => ops.mul(x, ops.sigmoid(x)),
  residual: (_, x) => ops.add(x, ops.advance(ops.tanh(x), 1)),
  late: (_, x) => ops.add(ops.delay(x, 5), ops.neg(x)),
  same: (t, x) => ops.convolution(x, weight(t, 5), { padding: 'same' }),
  dilated: (t, x) => ops.convolution(x, weight(t, 3), { dilation: 4 }),
  valid: (t, x) => ops.convolution(x, weight(t, 4), { padding: 'valid' }),
  down: (t, x) => ops.convolution(x, weight(t, 4), { stride: 2, padding: { left: 1, right: 3 } }),
  up: (t, x) => ops.transposedConvolution(x, weight(t, 4), { stride: 2 }),
  fold: (_, x) => ops.channelsToFrames(ops.tanh(ops.framesToChannels(x, 3)), 3),
  skip: (_, x) => ops.skip(x, 2),
  scan: (t, x) =>
    ops.diagonalScan(x, { a: t.literal([0.9, -0.5]), c: t.literal([1, 0.5]), method: ops.given }),
};

const weight = (t: Trace, taps: number): Signal =>
  t.literal(
    Array.from({ length: 4 * taps }, (_, i) => Math.sin(i + 1) / taps),
    [2, 2, taps],
  );

const chainOf = (names: readonly string[]): Layer =>
  defineLayer({
    name: names.join(' → '),
    features: 2,
    apply: (t, x) => names.reduce((signal, name) => steps[name]!(t, signal), x),
  });

const signal = (frames: number, width: number, seed = 1): Float32Array => {
  const source = random(seed);
  return Float32Array.from({ length: frames * width }, () => source.normal());
};

/** Feeds ragged blocks; snapshots on the way; ends. */
function trace(stream: Stream, input: Float32Array, sizes: readonly number[]): unknown[] {
  const said: unknown[] = [];
  const width = stream.inputChannels;
  for (let at = 0, i = 0; at < input.length / width; i++) {
    const size = sizes[i % sizes.length]!;
    said.push(stream.push(input.subarray(at * width, (at + size) * width)));
    at += size;
    if (i % 3 === 0) said.push(numbersOf(stream));
  }
  said.push(stream.flush(), numbersOf(stream));
  return said;
}

/** A snapshot but for the backend's name. */
function numbersOf(stream: Stream): unknown {
  const { header, sections } = openSnapshot(stream.snapshot());
  return { header: { ...header, backend: '' }, sections };
}

describe('the walk in memory', () => {
  it.each(Object.keys(steps))('fires, keeps and ends as the walk in JavaScript does: %s', (name) => {
    const model = chainOf([name]);
    const input = signal(700, 2);
    for (const sizes of [[1], [7, 1, 300], [256], [700]]) {
      const [plan, walk] = [
        compile(model, {}, { backend: wasm() }),
        compile(model, {}, { backend: walkedByJavaScript }),
      ];
      expect(trace(plan, input, sizes)).toEqual(trace(walk, input, sizes));
    }
  });

  it('does so for any chain of them, cut anyhow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 290 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 600 }),
        (names, sizes, frames) => {
          const model = chainOf(names);
          const input = signal(frames, 2, frames);
          const run = (backend: StreamBackend): unknown[] =>
            trace(compile(model, {}, { backend }), input, sizes);
          expect(run(wasm())).toEqual(run(walkedByJavaScript));
        },
      ),
      { numRuns: 150, seed: 5 },
    );
  });

  it.each(['tanh', 'convolution', 'diagonalScan', 'add'])(
    'comes back to JavaScript for %s and goes on',
    (op) => {
      const model = sequential([
        chainOf(['down', 'residual', 'scan', 'up', 'late']),
        s4d({ features: 2, states: 4 }),
      ]);
      const parameters = drawParameters(model, 1);
      const input = signal(600, 2);
      const mixed = compile(model, parameters, { backend: withoutKernel(op) });
      const whole = compile(model, parameters, { backend: reference });
      const [a, b] = [
        [...mixed.push(input), ...mixed.flush()],
        [...whole.push(input), ...whole.flush()],
      ];
      expect(a).toHaveLength(b.length);
      a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 4));
      // The same bits in any chunking, and behind the end of another stream.
      mixed.reset();
      const parts: number[] = [];
      for (let k = 0; k < 600; k += 8) parts.push(...mixed.push(input.subarray(2 * k, 2 * (k + 8))));
      expect([...parts, ...mixed.flush()]).toEqual(a);
    },
  );

  it.each([
    ['float64', { precision: 'float64' }],
    ['deterministic', { backend: wasm({ deterministic: true }) }],
  ] as const)('%s', (_, options) => {
    const model = chainOf(['same', 'gate', 'scan', 'down']);
    const input = signal(500, 2);
    const run = (sizes: readonly number[]): unknown =>
      trace(compile(model, {}, { backend: wasm(), ...options }), input, sizes).at(-1);
    expect(run([1])).toEqual(run([500]));
  });

  it('exact beyond 2^31 frames', () => {
    const model = chainOf(['scan', 'fold', 'ahead', 'down']);
    const [old, young] = [compile(model, {}), compile(model, {})];
    const zeros = new Float32Array(2 * 192);
    young.push(zeros);
    // The pattern of firings repeats every 6 frames, that of flushes every 64.
    const frames = 6 * 2 ** 38 + 192;
    old.restore(withFrames(young.snapshot(), frames));
    const input = signal(300, 2);
    for (let k = 0; k < 300; k += 20) {
      const part = input.subarray(2 * k, 2 * k + 40);
      expect(old.push(part)).toEqual(young.push(part));
    }
    expect(old.framesSeen).toBe(frames + 300);
    expect(old.flush()).toEqual(young.flush());
  });
});

describe('memory of a stream', () => {
  it.each([
    ['mamba', mamba({ features: 8 })],
    ['retention', retention({ features: 8, heads: 2 })],
    ['thirty ops', chainOf(Array.from({ length: 30 }, (_, i) => (i % 2 ? 'tanh' : 'gate')))],
  ])('%s: signals share places, and no op overwrites what another reads', (_, model) => {
    const parameters = drawParameters(model, 3);
    const input = signal(400, Object.values(model.inputs)[0]![0]!);
    // The evaluation keeps every signal apart.
    const { output } = evaluate(model, parameters, { input });
    for (const backend of [wasm(), walkedByJavaScript, reference]) {
      const stream = compile(model, parameters, { backend });
      const parts = [
        stream.push(input.subarray(0, (3 * input.length) / 4)),
        stream.push(input.subarray((3 * input.length) / 4)),
        stream.flush(),
      ];
      expect(
        relativeError(
          parts.flatMap((part) => [...part]),
          output!,
        ),
      ).toBeLessThan(1e-5);
    }
  });
});
