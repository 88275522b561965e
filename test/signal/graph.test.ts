import { describe, expect, it } from 'vitest';
import { zoh } from '../../src/discretize/index.ts';
import { GraphError } from '../../src/errors.ts';
import { s4d } from '../../src/layers/index.ts';
import * as ops from '../../src/ops/index.ts';
import type { Trace } from '../../src/signal/index.ts';
import {
  broadcastIndex,
  broadcastShapes,
  defineLayer,
  sequential,
  timedNodes,
  traceModel,
  Schedule,
  type Layer,
  type Signal,
} from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';

const layer = (apply: (t: Trace, x: Signal) => Signal, features = 1): Layer =>
  defineLayer({ name: 'model', features, apply });
const message = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
};

describe('shapes', () => {
  it('broadcast as in numpy, aligned at the last axis', () => {
    expect(broadcastShapes([4, 1], [3])).toEqual([4, 3]);
    expect(broadcastShapes([], [2, 3])).toEqual([2, 3]);
    expect(broadcastShapes([4], [3])).toBeUndefined();
    expect([...broadcastIndex([2, 1], [2, 3])]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...broadcastIndex([3], [2, 3])]).toEqual([0, 1, 2, 0, 1, 2]);
  });
});

describe('a graph refuses, naming the op, the shapes and the cure', () => {
  it.each<[string, (t: Trace, x: Signal) => Signal, RegExp]>([
    [
      'shapes that do not broadcast',
      (t, x) => ops.add(x, t.parameter('p', [5])),
      /^add \(add of input\.input \(4\), p \(5\)\): .*do not broadcast/,
    ],
    [
      'a weight that does not fit',
      (t, x) => ops.dense(x, t.parameter('w', [2, 3])),
      /dense .*weight \(2 × 3\) does not take 4 inputs; it must be \(outputs × 4\)/,
    ],
    ['a slice beyond the axis', (_t, x) => ops.slice(x, 2, 3), /elements 2 to 5 of an axis of 4/],
    ['pieces that do not add up', (_t, x) => ops.split(x, [1, 2])[0]!, /1 \+ 2 = 3 .* must add up to 4/],
    [
      'branches of different rates',
      (_t, x) =>
        ops.add(x, ops.dense(ops.framesToChannels(x, 2), x.trace.literal(new Float64Array(32), [4, 8]))),
      /different rates .*at 1.*at 1\/2.*framesToChannels/,
    ],
    [
      'a channel count that does not divide',
      (_t, x) => ops.channelsToFrames(x, 3),
      /4 channels .* do not divide into 3 frames/,
    ],
    [
      'memory over a constant',
      (t, x) => ops.add(x, ops.delay(t.parameter('p', [4]), 1)),
      /looks back in time, but all its inputs are constant/,
    ],
    [
      'state matrices that do not fit',
      (t, x) =>
        ops.stateSpace(x, {
          A: t.parameter('A', [2, 2]),
          B: t.parameter('B', [2, 3]),
          C: t.parameter('C', [1, 2]),
          D: t.parameter('D', [1, 4]),
        }),
      /B \(2 × 3\) must be \(2 × 4\)/,
    ],
    [
      'poles for other channels',
      (t, x) =>
        ops.diagonalScan(x, { a: t.parameter('a', [3, 2]), c: t.parameter('c', [4, 2]), method: ops.given }),
      /a \(3 × 2\) does not fit 4 channels × 2 states/,
    ],
    [
      'one name twice',
      (t, x) => ops.add(x, ops.add(t.parameter('p', [4]), t.parameter('p', [4]))),
      /"p" is declared twice/,
    ],
    ['a parameter without use', (t, x) => (t.parameter('p', [4]), x), /reach no output: p/],
    ['an output that is constant', (t) => t.parameter('p', [4]), /output "output" of model is constant/],
  ])('%s', (_name, apply, pattern) => {
    expect(message(() => traceModel(layer(apply, 4)))).toMatch(pattern);
  });

  it('a frame of the wrong width between two layers', () => {
    expect(
      message(() =>
        traceModel(sequential([s4d({ features: 4, states: 2 }), s4d({ features: 3, states: 2 })])),
      ),
    ).toMatch(/s4d takes frames of 3, but .* has 4; set features/);
  });

  it('a model that reads its input backwards, on a stream', () => {
    expect(
      message(() =>
        compile(
          layer((_t, x) => ops.reverse(x)),
          {},
        ),
      ),
    ).toMatch(/can't stream: reverse \(reverse\) needs its whole input.*evaluate\(\)/);
  });

  it('more look-ahead than is allowed', () => {
    const model = layer((_t, x) => ops.add(ops.advance(ops.mul(x, 2), 7), x));
    expect(compile(model, {}).latency).toBe(7);
    expect(message(() => compile(model, {}, { maxLatency: 0 }))).toMatch(
      /looks 7 frames ahead, 0 are allowed: advance \(shift\) is the first/,
    );
  });

  it('another rate, where an op counts frames', () => {
    const model = defineLayer({
      name: 'echo',
      features: 1,
      sampleRate: 8000,
      apply: (_t, x) => ops.add(x, ops.delay(x, 100)),
    });
    expect(compile(model, {}, { sampleRate: 8000 }).latency).toBe(0);
    expect(message(() => compile(model, {}, { sampleRate: 44_100 }))).toMatch(
      /made for 8000 Hz and can't follow 44100 Hz: delay \(shift\).*resample the input to 8000 Hz/,
    );
    expect(message(() => compile(model, {}, { irregular: true }))).toMatch(
      /can't take a dt for every frame: delay \(shift\)/,
    );
  });
});

describe('the clock', () => {
  const poles = (t: Trace): Signal => t.literal([-1], [1, 1]);
  const scan = (t: Trace, x: Signal, dt: Signal): Signal =>
    ops.diagonalScan(x, { a: poles(t), c: t.literal([1], [1, 1]), dt, method: zoh.diagonal });
  const at16k = (apply: (t: Trace, x: Signal) => Signal): Layer =>
    defineLayer({ name: 'model', features: 1, sampleRate: 16_000, apply });

  it('reaches a scan whose step varies by frame, and the neighbour of an integration rule', () => {
    const selective = at16k((t, x) => scan(t, ops.previous(x), ops.mul(ops.softplus(x), t.timeScale())));
    expect(compile(selective, {}, { sampleRate: 8000 }).sampleRate).toBe(8000);
    expect(compile(selective, {}, { irregular: true }).latency).toBe(0);
  });

  it('does not pass through what remembers: a delay behind a scan still counts frames', () => {
    const behind = at16k((t, x) => ops.delay(scan(t, x, t.timeScale()), 3));
    expect(message(() => compile(behind, {}, { irregular: true }))).toMatch(/delay \(shift\) counts frames/);
    expect(message(() => compile(behind, {}, { sampleRate: 8000 }))).toMatch(/delay \(shift\) counts frames/);
    const fed = at16k((t, x) => scan(t, x, ops.softplus(scan(t, x, t.timeScale()))));
    expect(message(() => compile(fed, {}, { sampleRate: 8000 }))).toMatch(
      /scan#2 \(diagonal-scan\) counts frames/,
    );
  });
});

describe('a graph knows before it runs', () => {
  it('rates, latency and what must be kept', () => {
    const graph = traceModel(
      layer((_t, x) => {
        const half = ops.framesToChannels(ops.delay(x, 5), 2);
        return ops.add(ops.channelsToFrames(ops.advance(half, 3), 2), x);
      }),
    );
    const schedule = new Schedule(timedNodes(graph));
    const output = graph.outputs.get('output')!;
    expect(output.rate).toEqual({ numerator: 1, denominator: 1 });
    expect(schedule.period).toBe(2);
    // Frame 0 of the output is in a pair that waits for the pair three further on: input frames 6 and 7.
    expect(schedule.latency(output.id)).toBe(7);
    expect([0, 7, 8, 9, 10].map((frames) => schedule.emitted(output.id, frames))).toEqual([0, 0, 2, 2, 4]);
    // The direct branch waits for the other one: seven frames at most, since the eighth sets a pair free.
    expect(schedule.retention[graph.inputs.get('input')!.id]).toBe(7);
    // Counters are exact where 32 bits are not: 2^40 frames are eight months at 48 kHz.
    expect(schedule.emitted(output.id, 2 ** 40 + 1)).toBe(2 ** 40 - 6);
  });

  it('names parameters by scope and drops what no output needs', () => {
    const graph = traceModel(
      sequential([s4d({ features: 1, states: 2 }), s4d({ features: 1, states: 2 })], ['encoder', 'decoder']),
    );
    expect([...graph.parameters.keys()]).toContain('encoder.kernel.log_dt');
    expect([...graph.parameters.keys()]).toContain('decoder.output_linear.0.weight');
    expect(graph.nodes.every((node) => node.inputs.every((input) => graph.nodes.includes(input)))).toBe(true);
  });
});
