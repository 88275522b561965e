import { describe, expect, it } from 'vitest';
import { SnapshotError, StreamError } from '../../src/errors.ts';
import { initialise, lti, s4d } from '../../src/layers/index.ts';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, type Model } from '../../src/signal/index.ts';
import {
  compile,
  realtime,
  snapshotNumbers,
  type Diagnostic,
  type NonFinitePolicy,
} from '../../src/stream/index.ts';
import { withFrames } from '../support/snapshots.ts';

const integrator = lti({ A: [[1]], B: [[1]], C: [[1]], D: [[1]] });
const ahead = defineLayer({ name: 'ahead', features: 1, apply: (_t, x) => ops.advance(x, 3) });

describe('process', () => {
  it('refuses what does not fit, and has consumed nothing then', () => {
    const model = s4d({ features: 2, states: 4 });
    const stream = compile(model, initialise(model, 1));
    const before = stream.snapshot();
    expect(() => stream.process(new Float32Array(3), new Float32Array(4))).toThrow(
      /3 values, which is no whole number of frames of 2 channels/,
    );
    expect(() => stream.process(new Float32Array(8), new Float32Array(4))).toThrow(
      /room for 2 frames, but 4 of 2 channels are ready; size it by maxOutput/,
    );
    expect(() => stream.process(Float32Array.of(0, 1, 2, Number.NaN), new Float32Array(4))).toThrow(
      /is NaN at frame 1, channel 1/,
    );
    expect(() => stream.process([0, 0] as unknown as Float32Array, new Float32Array(4))).toThrow(StreamError);
    expect(stream.framesSeen).toBe(0);
    expect(Buffer.compare(stream.snapshot(), before)).toBe(0);
  });

  it('takes no more after the end, until reset', () => {
    const stream = compile(ahead, {});
    stream.push(Float32Array.of(1, 2, 3, 4, 5));
    expect([...stream.flush()]).toEqual([0, 0, 0]);
    expect(() => stream.push(Float32Array.of(1))).toThrow(/has ended; reset/);
    expect(() => stream.flush()).toThrow(/has ended/);
    stream.reset();
    expect([...stream.push(Float32Array.of(1, 2, 3, 4, 5))]).toEqual([4, 5]);
  });

  it('gives nothing for nothing, whatever would be padded behind the end', () => {
    const model = defineLayer({
      name: 'transposed',
      features: 1,
      apply: (t, x) => ops.transposedConvolution(x, t.literal([1, 2, 3, 4], [1, 1, 4]), { stride: 2 }),
    });
    expect(compile(model, {}).flush()).toHaveLength(0);
    const stream = compile(model, {});
    expect([...stream.push(Float32Array.of(1)), ...stream.flush()]).toEqual([1, 2, 3, 4]);
  });

  it('takes empty blocks, and an end without input', () => {
    const stream = compile(ahead, {});
    expect(stream.push(new Float32Array(0))).toHaveLength(0);
    expect(stream.flush()).toHaveLength(0);
  });

  it('runs several ports in and out', () => {
    const model: Model = {
      name: 'mid-side',
      inputs: { left: [1], right: [1] },
      build: (_t, { left, right }) => ({
        mid: ops.add(left!, right!),
        side: ops.delay(ops.sub(left!, right!), 1),
      }),
    };
    const stream = compile(model, {});
    const [mid, side] = [new Float32Array(3), new Float32Array(3)];
    stream.process({ left: Float32Array.of(1, 2, 3), right: Float32Array.of(1, 0, 1) }, { mid, side });
    expect([...mid]).toEqual([2, 2, 4]);
    expect([...side]).toEqual([0, 0, 2]);
    expect(() => stream.process({ left: mid }, { mid, side })).toThrow(/"right" is missing/);
    expect(() => stream.process({ left: mid, right: new Float32Array(2) }, { mid, side })).toThrow(
      /"right" has 2 frames, "left" has 3/,
    );
  });

  it('appends what the model says at the end, as signal', () => {
    const model = defineLayer({
      name: 'padded',
      features: 1,
      endPadding: (frames) => 4 - (frames % 4),
      apply: (_t, x) => ops.add(x, 1),
    });
    const stream = compile(model, {});
    expect([...stream.push(Float32Array.of(1, 2, 3))]).toEqual([2, 3, 4]);
    expect([...stream.flush()]).toEqual([1]);
  });

  it('goes on after 2^40 frames as after none', () => {
    const model = defineLayer({
      name: 'long-lived',
      features: 1,
      apply: (t, x) =>
        ops.add(
          ops.diagonalScan(x, { a: t.literal([0.5]), c: t.literal([1]), method: ops.given }),
          ops.channelsToFrames(ops.advance(ops.framesToChannels(x, 4), 2), 4),
        ),
    });
    const input = Float32Array.from({ length: 300 }, (_, k) => Math.sin(k));
    const fresh = compile(model, {});
    const zeros = new Float32Array(64);
    fresh.push(zeros);
    const old = compile(model, {});
    old.restore(withFrames(fresh.snapshot(), 2 ** 40 + 64));
    expect(old.framesSeen).toBe(2 ** 40 + 64);
    expect([...old.push(input), ...old.flush()]).toEqual([...fresh.push(input), ...fresh.flush()]);
  });
});

describe('values that are not finite', () => {
  const run = (nonFinite: NonFinitePolicy, chunk: number): { output: number[]; said: Diagnostic[] } => {
    const said: Diagnostic[] = [];
    const stream = compile(
      integrator,
      {},
      { nonFinite, onDiagnostic: (diagnostic) => said.push(diagnostic) },
    );
    const input = Float32Array.of(1, 2, Number.NaN, Number.POSITIVE_INFINITY, 5, 1);
    const output: number[] = [];
    for (let k = 0; k < input.length; k += chunk) output.push(...stream.push(input.subarray(k, k + chunk)));
    return { output, said };
  };

  it.each([1, 2, 6])('hold, zero and reset never latch, in chunks of %i', (chunk) => {
    expect(run('hold', chunk).output).toEqual([1, 3, 5, 7, 12, 13]);
    expect(run('zero', chunk).output).toEqual([1, 3, 3, 3, 8, 9]);
    expect(run('reset', chunk).output).toEqual([1, 3, 0, 0, 5, 6]);
  });

  it('are reported once a block, with their place', () => {
    expect(run('hold', 6).said).toEqual([
      { kind: 'non-finite', port: 'input', frame: 2, channel: 0, count: 2, action: 'hold' },
    ]);
    expect(run('hold', 1).said.map(({ frame }) => frame)).toEqual([2, 3]);
  });

  it('leave other streams alone', () => {
    const [a, b] = [compile(integrator, {}, { nonFinite: 'reset' }), compile(integrator, {})];
    b.push(Float32Array.of(1, 1));
    a.push(Float32Array.of(Number.NaN));
    expect([...b.push(Float32Array.of(1))]).toEqual([3]);
  });

  it('hold is part of the state', () => {
    const first = compile(integrator, {}, { nonFinite: 'hold' });
    first.push(Float32Array.of(4));
    const second = compile(integrator, {}, { nonFinite: 'hold' });
    second.restore(first.snapshot());
    expect([...second.push(Float32Array.of(Number.NaN))]).toEqual([8]);
    expect([...first.fork().push(Float32Array.of(Number.NaN))]).toEqual([8]);
  });
});

describe('snapshot', () => {
  const model = s4d({ features: 1, states: 4, sampleRate: 8000 });
  const parameters = initialise(model, 1);
  const stream = compile(model, parameters);
  stream.push(Float32Array.of(1, 2, 3));
  const saved = stream.snapshot();

  it('is refused by another model, other weights, another rate or precision', () => {
    const other = s4d({ features: 1, states: 8, sampleRate: 8000 });
    expect(() => compile(other, initialise(other, 1)).restore(saved)).toThrow(/model hash/);
    expect(() => compile(model, initialise(model, 2)).restore(saved)).toThrow(/model hash/);
    expect(() => compile(model, parameters, { sampleRate: 16_000 }).restore(saved)).toThrow(
      /sample rate is 8000, this stream's is 16000/,
    );
    expect(() => compile(model, parameters, { precision: 'float64' }).restore(saved)).toThrow(/precision/);
    expect(() => compile(integrator, {}).restore(saved)).toThrow(/model is s4d, this stream's is lti/);
  });

  it('is refused when damaged anywhere, and the stream is as before', () => {
    const target = compile(model, parameters);
    target.push(Float32Array.of(5));
    const before = target.snapshot();
    for (let at = 0; at < saved.length; at += 7) {
      const damaged = Uint8Array.from(saved);
      damaged[at]! ^= 0x40;
      expect(() => target.restore(damaged)).toThrow(SnapshotError);
    }
    for (const length of [0, 5, 15, 40, saved.length - 1]) {
      expect(() => target.restore(saved.subarray(0, length))).toThrow(SnapshotError);
    }
    expect(Buffer.compare(target.snapshot(), before)).toBe(0);
  });

  it('of an ended stream restores an ended stream', () => {
    const first = compile(ahead, {});
    first.push(Float32Array.of(1, 2, 3, 4));
    first.flush();
    const second = compile(ahead, {});
    second.restore(first.snapshot());
    expect(second.ended).toBe(true);
    expect(() => second.push(Float32Array.of(1))).toThrow(/has ended/);
  });
});

describe('realtime', () => {
  it('gives n frames for n, the first `latency` of them zero', () => {
    const edge = realtime(compile(ahead, {}), 8);
    const output = new Float32Array(4);
    const heard: number[] = [];
    for (let k = 0; k < 12; k += 4) {
      expect(edge.process(Float32Array.of(k + 1, k + 2, k + 3, k + 4), output)).toBe(4);
      heard.push(...output);
    }
    // advance(3) emits frame k + 3 at k; three zeros in front put frame 4 where it belongs in time.
    expect(heard).toEqual([0, 0, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(() => edge.process(new Float32Array(9), new Float32Array(9))).toThrow(/at most 8/);
  });

  it('keeps pace through a model that works in groups of frames', () => {
    const grouped = defineLayer({
      name: 'grouped',
      features: 1,
      apply: (_t, x) => ops.channelsToFrames(ops.framesToChannels(x, 4), 4),
    });
    const edge = realtime(compile(grouped, {}), 5);
    const heard: number[] = [];
    for (let k = 0; k < 40; k += 5) {
      const output = new Float32Array(5);
      edge.process(
        Float32Array.from({ length: 5 }, (_, i) => k + i + 1),
        output,
      );
      heard.push(...output);
    }
    expect(heard).toEqual([0, 0, 0, ...Array.from({ length: 37 }, (_, i) => i + 1)]);
  });

  it('refuses a model that changes the rate', () => {
    const halved = defineLayer({ name: 'halved', features: 1, apply: (_t, x) => ops.framesToChannels(x, 2) });
    expect(() => realtime(compile(halved, {}), 8)).toThrow(/0\.5 frames for each/);
  });
});

describe('a snapshot from a file', () => {
  it('is read from a Buffer, which is a piece of a pool, as from an array of its own', () => {
    const model = s4d({ features: 2, states: 8 });
    const stream = compile(model, initialise(model, 1), { nonFinite: 'hold' });
    const input = (from: number): Float32Array =>
      Float32Array.from({ length: 40 }, (_, k) => Math.cos(from + k));
    stream.push(input(0));
    const snapshot = stream.snapshot();
    const expected = stream.push(Float32Array.of(NaN, NaN, ...input(7)));
    const other = compile(model, initialise(model, 1), { nonFinite: 'hold' });
    other.restore(Buffer.from(snapshot));
    expect(other.push(Float32Array.of(NaN, NaN, ...input(7)))).toEqual(expected);
    expect(snapshotNumbers(Buffer.from(snapshot))).toEqual(snapshotNumbers(snapshot));
  });
});
