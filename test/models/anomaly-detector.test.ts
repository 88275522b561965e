import { describe, expect, it } from 'vitest';
import { random } from '../../src/init/index.ts';
import { anomalyDetector } from '../../src/models/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyStream } from '../contract/stream.ts';

const daily = (frames: number, seed: number): Float64Array => {
  const source = random(seed);
  return Float64Array.from(
    { length: frames },
    (_, k) => 50 + 20 * Math.sin((2 * Math.PI * k) / 288) + source.normal(),
  );
};

const detect = (values: Float64Array): Float64Array =>
  Float64Array.from(compile(anomalyDetector(), {}, { precision: 'float64' }).push(values));

describe('the anomaly detector', () => {
  const quiet = daily(5000, 3);

  it('finds a spike, a shift of level, and a change of texture at once', () => {
    for (const [name, change, within] of [
      ['spike', (x: number, k: number) => (k === 3000 ? x + 40 : x), 1],
      ['shift', (x: number, k: number) => (k >= 3000 ? x + 30 : x), 60],
      ['texture', (x: number, k: number) => (k >= 3000 && k < 3100 ? x + 12 * (-1) ** k : x), 20],
    ] as const) {
      const scores = detect(quiet.map(change));
      const first = scores.findIndex((score, k) => k >= 3000 && score > 0.05);
      expect(first, name).toBeGreaterThanOrEqual(3000);
      expect(first, name).toBeLessThan(3000 + within);
      expect(Math.max(...scores.subarray(1000, 3000)), name).toBeLessThan(0.05);
    }
  });

  it('does not depend on the unit of the readings', () => {
    const scores = detect(quiet);
    // A power of two rounds nothing.
    expect(detect(quiet.map((x) => x * 2 ** 30))).toEqual(scores);
  });

  it('is quiet on a series that never moves, and finds its first move', () => {
    const flat = new Float64Array(1000).fill(7);
    expect(Math.max(...detect(flat))).toBe(0);
    flat[600] = 8;
    expect(detect(flat)[600]).toBeGreaterThan(1);
  });

  verifyStream({
    name: 'anomaly detector',
    model: anomalyDetector({ warmUp: 60, rest: 5 }),
    parameters: {},
    options: { precision: 'float64' },
    input: (_port, frames) => Float32Array.from(daily(frames, 4)),
  });
});
