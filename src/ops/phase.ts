import { defineOp, type Signal, sizeOf } from '../signal/index.ts';

const TURN = 2 * Math.PI;

/**
 * θ[k] = (θ[k−1] + x[k]) mod 2π, θ[−1] = 0. The angle is kept in float64 whatever the signals are, and never grows:
 * 10⁹ frames add less than 1e-6 of their own, where a float32 sum would have lost the phase within minutes.
 */
const phaseOp = defineOp<null>({
  name: 'phase',
  shape: (_attributes, [x]) => x!.shape,
  time: () => [0],
  state: (_attributes, [x]) => ({ angle: { shape: x!.shape, type: 'float64' } }),
  step({ types, inputs, output, state }) {
    const x = inputs[0]!;
    const angle = state['angle']!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) {
      const sum = angle[i]! + x.data[x.at + i]!;
      angle[i] = sum - TURN * Math.floor(sum / TURN);
      output.data[output.at + i] = angle[i]!;
    }
  },
  // Where the angle wraps it jumps by a whole turn, which no function of an angle sees: the slope is that of the sum.
  adjoint({ dOutput, dInputs, firings }) {
    const dx = dInputs[0];
    if (!dx) return;
    for (let i = 0; i < dx.width; i++) {
      for (let k = firings - 1, later = 0; k >= 0; k--) {
        later += dOutput.data[dOutput.origin + k * dx.width + i]!;
        dx.data[dx.origin + k * dx.width + i]! += later;
      }
    }
  },
});

/**
 * The angle, in [0, 2π), that increments in radians a frame add up to, each element by itself: exact for days. For
 * use under `sin` and `cos`, which do not see where it wraps.
 *
 * @example
 * const oscillator = sin(phase(mul(frequency, 2 * Math.PI * period)));
 */
export const phase = (increments: Signal): Signal => increments.trace.apply(phaseOp, null, [increments]);
