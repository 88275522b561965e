/**
 * A resonance as a state space model of one complex state, whose frequency and damping may change with every frame:
 * what the page's sliders turn.
 *
 *     x' = p x + 2ζω u,   y = Re(c x),   p = ω (−ζ + j√(1 − ζ²)),   c = 1 + jζ/√(1 − ζ²)
 *
 * is 2ζω s / (s² + 2ζω s + ω²), a band-pass of gain 1 at ω whatever the damping.
 *
 * ω   rad/s        2π × the port `frequency` (Hz)
 * ζ   damping      the port `damping`, above 0 and below 1; the quality factor is 1/2ζ
 * m   method       the port `bilinear`: 0 discretises by zoh, 1 by the bilinear rule
 */
import { bilinear, ops, zoh, type Model } from 'statewave';
import { smooth } from 'statewave/web';

const { add, diagonalScan, div, exp, log, mul, neg, square, sqrt, sub } = ops;

/** Where the controls stand before the first frame. */
export const RESONATOR = { frequency: 1000, damping: 0.05, bilinear: 0 } as const;

/** Both discretizations run side by side, so that changing over is a crossfade. */
export const resonator = (): Model => ({
  name: 'resonator',
  inputs: { input: [1], frequency: [1], damping: [1], bilinear: [1] },
  build(trace, { input, frequency, damping, bilinear: method }) {
    // Smooth on the scales on which ears hear and sliders move: octaves, and factors of the damping.
    const ratio = (x: typeof input, initial: number) =>
      exp(smooth(log(x!), { initial: Math.log(initial), seconds: 0.02 }));
    const omega = mul(ratio(frequency, RESONATOR.frequency), 2 * Math.PI);
    const zeta = ratio(damping, RESONATOR.damping);
    const root = sqrt(sub(trace.literal([1]), square(zeta)));
    const period = trace.fromPeriod([1], (seconds) => Float64Array.of(seconds), 'period');
    const system = {
      a: { re: neg(mul(omega, zeta)), im: mul(omega, root) },
      b: mul(mul(omega, zeta), 2),
      c: { re: trace.literal([1]), im: div(zeta, root) },
      dt: period,
    };
    const held = diagonalScan(input!, { ...system, method: zoh.diagonal });
    const trapezoid = diagonalScan(input!, { ...system, method: bilinear.diagonal });
    const output = add(held, mul(smooth(method!, { initial: RESONATOR.bilinear }), sub(trapezoid, held)));
    return { output };
  },
});
