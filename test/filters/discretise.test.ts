import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import {
  bilinear,
  matchedZ,
  prewarp,
  tfToZpk,
  zpkToTf,
  type ZerosPolesGain,
} from '../../src/filters/index.ts';
import { expectClose } from '../support/close.ts';
import { missingShared, shared } from '../support/shared.ts';
import { evaluateZpk, pair, real } from './support.ts';

const onCircle = (angle: number) => ({ re: Math.cos(angle), im: Math.sin(angle) });

describe.skipIf(missingShared('vectors', 'python-control-c2d'))('python-control (needs ../shared)', () => {
  interface Checks {
    prewarp: { w: number[]; Ts: number[] };
    zoh_poles_and_dcgain: { systems: { num: number[]; den: number[] }[]; dt: number[] };
  }
  const checks = missingShared('vectors', 'python-control-c2d')
    ? ({} as Checks)
    : (JSON.parse(readFileSync(shared('vectors', 'python-control-c2d', 'checks.json'), 'utf8')) as Checks);

  it('prewarp keeps H at its frequency, plain bilinear does not', () => {
    for (const { num, den } of checks.zoh_poles_and_dcgain.systems) {
      const analog = tfToZpk({ b: num, a: den }, { analog: true });
      for (const w of checks.prewarp.w) {
        for (const dt of checks.prewarp.Ts) {
          const wanted = evaluateZpk(analog, { re: 0, im: w });
          const got = evaluateZpk(bilinear(analog, prewarp(w, dt)), onCircle(w * dt));
          expect(Math.hypot(got.re - wanted.re, got.im - wanted.im)).toBeLessThan(1e-13);
          const plain = evaluateZpk(bilinear(analog, dt), onCircle(w * dt));
          expect(Math.hypot(plain.re - wanted.re, plain.im - wanted.im)).toBeGreaterThan(1e-8);
        }
      }
    }
  });

  it('bilinear and matched keep the gain at 0 Hz; matched has the poles e^(p dt)', () => {
    for (const { num, den } of checks.zoh_poles_and_dcgain.systems) {
      const analog = tfToZpk({ b: num, a: den }, { analog: true });
      const wanted = num.at(-1)! / den.at(-1)!;
      for (const dt of checks.zoh_poles_and_dcgain.dt) {
        expect(evaluateZpk(bilinear(analog, dt), real(1)).re).toBeCloseTo(wanted, 13);
        const matched = matchedZ(analog, dt);
        expect(evaluateZpk(matched, real(1)).re).toBeCloseTo(wanted, 13);
        for (const [i, pole] of matched.poles.entries()) {
          expect(Math.hypot(pole.re, pole.im)).toBeCloseTo(Math.exp(analog.poles[i].re * dt), 14);
        }
      }
    }
  });
});

describe('bilinear', () => {
  it('refuses what has no image', () => {
    expect(() => bilinear({ zeros: [], poles: [real(20)], gain: 1 }, 0.1)).toThrow(/equals 2\/dt/);
    expect(() => bilinear({ zeros: [real(1)], poles: [], gain: 1 }, 0.1)).toThrow(/more zeros than poles/);
    expect(() => bilinear({ zeros: [], poles: [], gain: 1 }, 0)).toThrow(/dt \(s\) is 0/);
    expect(() => prewarp(10, Math.PI / 10)).toThrow(ArgumentError);
    expect(() => prewarp(0, 1)).toThrow(ArgumentError);
  });
});

describe('matchedZ', () => {
  it('agrees with the textbook figures of 1/(s² + 1) at 1 s', () => {
    const { b, a } = zpkToTf(matchedZ({ zeros: [], poles: pair(0, 1), gain: 1 }, 1));
    // 2 - 2 cos 1 over 4
    const quarter = (1 - Math.cos(1)) / 2;
    expectClose(b, [quarter, 2 * quarter, quarter], 1e-15);
    expectClose(a, [1, -2 * Math.cos(1), 1], 1e-15);
    expect(quarter).toBeCloseTo(0.2298, 4);
  });

  it('keeps the slope of an integrator and of a differentiating zero', () => {
    const dt = 0.01;
    const filter: ZerosPolesGain = { zeros: [real(-3)], poles: [real(0), real(-5)], gain: 2 };
    const z = 1 + 1e-6;
    const analog = evaluateZpk(filter, real((z - 1) / dt)).re;
    expect(evaluateZpk(matchedZ(filter, dt), real(z)).re / analog).toBeCloseTo(1, 4);
    const washout: ZerosPolesGain = { zeros: [real(0)], poles: [real(-5)], gain: 1 };
    expect(
      evaluateZpk(matchedZ(washout, dt), real(z)).re / evaluateZpk(washout, real((z - 1) / dt)).re,
    ).toBeCloseTo(1, 4);
  });

  it('keeps |H| at another frequency, and a frame of delay where asked', () => {
    const filter: ZerosPolesGain = { zeros: [real(0)], poles: pair(-3, 40), gain: 6 };
    const digital = matchedZ(filter, 0.01, { frequency: 40 });
    const wanted = evaluateZpk(filter, { re: 0, im: 40 });
    const got = evaluateZpk(digital, onCircle(0.4));
    expect(Math.hypot(got.re, got.im)).toBeCloseTo(Math.hypot(wanted.re, wanted.im), 13);
    expect(digital.zeros).toEqual([real(1), real(-1)]);
    expect(matchedZ(filter, 0.01, { frequency: 40, delay: true }).zeros).toEqual([real(1)]);
  });

  it('refuses roots that would fold over and gains that cannot be matched', () => {
    expect(() => matchedZ({ zeros: [], poles: pair(-1, 400), gain: 1 }, 0.01)).toThrow(/fold over/);
    expect(() => matchedZ({ zeros: [], poles: pair(0, 40), gain: 1 }, 0.01, { frequency: 40 })).toThrow(
      /another frequency/,
    );
    expect(() => matchedZ({ zeros: [real(1)], poles: [], gain: 1 }, 0.01)).toThrow(ArgumentError);
    expect(() => matchedZ({ zeros: [], poles: [real(-1)], gain: 1 }, 0.01, { frequency: 400 })).toThrow(
      ArgumentError,
    );
  });
});
