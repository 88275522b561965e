import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResampler } from '../../src/audio/index.ts';
import { compile, defineLayer, filter, initialise, ops, s4d, sequential } from '../../src/index.ts';
import { atRate, bridge } from '../../src/live/bridge.ts';
import { random } from '../../src/init/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { allocatedBy } from '../support/allocations.ts';

const noise = (frames: number, seed: number): Float32Array => {
  const source = random(seed);
  return Float32Array.from({ length: frames }, () => source.uniform() - 0.5);
};

/** Looks three frames ahead. */
const ahead = (features: number): Model =>
  sequential([
    defineLayer({ name: 'ahead', features, apply: (_, u) => ops.add(ops.advance(u, 3), u) }),
    s4d({ features, states: 4 }),
  ]);

const open = (features: number, sampleRate: number) => {
  const model = ahead(features);
  return compile(model, initialise(model, 1), { sampleRate, precision: 'float32' });
};

/** The same signal through the same stages, whole. */
function offline(
  input: Float32Array,
  features: number,
  contextRate: number,
  modelRate: number,
): Float32Array {
  const options = { channels: features, quality: 'fast' } as const;
  const down = createResampler({ from: contextRate, to: modelRate, ...options });
  const up = createResampler({ from: modelRate, to: contextRate, ...options });
  const middle = Float32Array.from([...down.process(input), ...down.end()]);
  const stream = open(features, modelRate);
  const made = Float32Array.from([...stream.push(middle), ...stream.flush()]);
  return Float32Array.from([...up.process(made), ...up.end()]);
}

describe.each([
  [48_000, 16_000],
  [44_100, 16_000],
  [16_000, 48_000],
  [48_000, 48_000],
])('a bridge from %i to %i Hz', (contextRate, modelRate) => {
  it('gives the offline run, later by its latency, whatever the quanta', () => {
    const input = noise(2 * 1500, 3);
    const whole = offline(input, 2, contextRate, modelRate);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }), (cuts) => {
        const edge = bridge(open(2, modelRate), { contextRate, maxFrames: 200 });
        expect(edge.latencySeconds).toBe(edge.latency / contextRate);
        for (let at = 0, i = 0; at < 1500; i++) {
          const frames = Math.min(cuts[i % cuts.length]!, 1500 - at);
          const output = new Float32Array(2 * frames);
          expect(edge.process(input.subarray(2 * at, 2 * (at + frames)), output)).toBe(frames);
          const due = Float32Array.from(output, (_, k) => {
            const from = 2 * (at - edge.latency) + k;
            return from < 0 ? 0 : whole[from]!;
          });
          expect(output).toEqual(due);
          at += frames;
        }
      }),
      { numRuns: 15 },
    );
  });

  it('declares no more latency than it needs', () => {
    const chain = atRate(open(1, modelRate), { contextRate, maxFrames: 1 });
    const output = new Float32Array(chain.maxOutput(1));
    let made = 0;
    let worst = 0;
    for (let n = 1; n <= 3000; n++) {
      made += chain.process(new Float32Array(1), output);
      worst = Math.max(worst, made === 0 ? 0 : n - made);
    }
    expect(chain.latency).toBe(worst);
  });

  it('holds back what comes at the end, and no more', () => {
    const input = noise(1000, 4);
    const chain = atRate(open(1, modelRate), { contextRate, maxFrames: 1000 });
    const output = new Float32Array(chain.maxOutput(1000));
    const came = chain.process(input, output);
    expect([...output.subarray(0, came), ...chain.flush()]).toEqual([
      ...offline(input, 1, contextRate, modelRate),
    ]);
  });
});

it('makes no garbage once it runs', () => {
  const edge = bridge(open(1, 16_000), { contextRate: 48_000, maxFrames: 128 });
  const input = noise(128, 5);
  const output = new Float32Array(128);
  expect(allocatedBy(8000, () => edge.process(input, output))).toBeLessThan(16);
});

it('refuses what cannot run live', () => {
  const used = open(1, 16_000);
  used.push(new Float32Array(10));
  expect(() => bridge(used, { contextRate: 48_000, maxFrames: 128 })).toThrow(/has run for 10 frames/);
  const edge = bridge(open(1, 16_000), { contextRate: 48_000, maxFrames: 128 });
  expect(() => edge.process(new Float32Array(129), new Float32Array(129))).toThrow(/129 frames.*at most 128/);
  const lowpass = compile(
    filter({ family: 'butterworth', order: 2, type: 'lowpass', cutoff: 1000 }),
    {},
    { sampleRate: 48_000 },
  );
  expect(bridge(lowpass, { contextRate: 48_000, maxFrames: 128 }).latency).toBe(0);
});
