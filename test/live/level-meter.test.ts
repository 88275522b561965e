import { expect, it } from 'vitest';
import { dbfs } from '../../src/audio/index.ts';
import { LevelMeter } from '../../src/live/index.ts';

const sine = (seconds: number, amplitude: number): Float32Array =>
  Float32Array.from(
    { length: seconds * 48_000 },
    (_, k) => amplitude * Math.sin((2 * Math.PI * 1000 * k) / 48_000),
  );

it('shows peak and root mean square of a sine', () => {
  const meter = new LevelMeter(48_000);
  meter.push(sine(3, 0.5));
  expect(dbfs(meter.peak)).toBeCloseTo(-6.02, 1);
  expect(dbfs(meter.rms)).toBeCloseTo(-9.03, 1);
});

it('falls by 20 dB a second', () => {
  const meter = new LevelMeter(48_000);
  meter.push([1]);
  meter.push(new Float32Array(48_000));
  expect(dbfs(meter.peak)).toBeCloseTo(-20, 6);
});

it('counts what is beyond full scale, and does not stay with what is no number', () => {
  const meter = new LevelMeter(48_000);
  meter.push([1, -1.5, 0.99, NaN, Infinity, 5], 5);
  expect(meter.clipped).toBe(3);
  meter.push([0.25]);
  expect(meter.peak).toBe(0.25);
  expect(meter.rms).toBeGreaterThan(0);
});
