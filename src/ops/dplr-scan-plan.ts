import type { FloatArray, PrepareCall } from '../signal/index.ts';
import { sizeOf } from '../signal/index.ts';
import { DplrStep, dplrCoefficients, dplrSystem } from './dplr-discretise.ts';
import type { DplrCoefficients, DplrSystem } from './dplr-discretise.ts';
import { StepCache } from './step-cache.ts';

/**
 * The recurrence of a diagonal plus low rank system a channel, by the bilinear rule, in O(N R) a frame:
 *
 *     x′ = (Λ − P P*) x + B u,   y[k] = Re Σₙ c x[k]            (the output sees the current input)
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | u | input | (H) |
 * | Λ | diagonal, one of each conjugate pair | (H × N × 2): re, im |
 * | P | low-rank part | (R × H × N × 2) |
 * | B, c | input weights, read-out | (H × N × 2) |
 * | dt | step, constant or by frame | (H) |
 * | x | state | (2 × H × N), real parts first |
 *
 * State and coefficients are float64, except with the precision `float32`: the feedback couples all modes, so none of
 * them is slow or fast alone.
 */
export interface DplrScanAttributes {
  readonly channels: number;
  readonly states: number;
  readonly rank: number;
}

/** Inputs of the node, in this order. */
export const [U, LAMBDA, P, B, C, DT] = [0, 1, 2, 3, 4, 5] as const;

export interface DplrPlan {
  readonly systems: readonly DplrSystem[];
  readonly c: Float64Array;
  /** Of every channel, where dt stands still. */
  readonly coefficients: readonly DplrCoefficients[] | undefined;
  readonly steps: StepCache<readonly DplrCoefficients[]>;
  readonly discretiser: DplrStep;
  readonly rounded: boolean;
  /** η of one channel. */
  readonly feedback: Float64Array;
}

/** The system of each channel, from the values of Λ, P and B. */
export function channelSystems(
  { channels, states, rank }: DplrScanAttributes,
  lambda: ArrayLike<number>,
  p: ArrayLike<number>,
  b: ArrayLike<number>,
): DplrSystem[] {
  const size = 2 * states;
  return Array.from({ length: channels }, (_, h) => {
    const system = dplrSystem(states, rank);
    for (let i = 0; i < size; i++) {
      system.lambda[i] = lambda[h * size + i]!;
      system.B[i] = b[h * size + i]!;
      for (let r = 0; r < rank; r++) system.P[r * size + i] = p[(r * channels + h) * size + i]!;
    }
    return system;
  });
}

/** Everything that is known before the first frame. */
export function prepareDplr({
  attributes,
  types,
  constants,
  precision,
}: PrepareCall<DplrScanAttributes>): DplrPlan {
  const { channels, states, rank } = attributes;
  const rounded = precision === 'float32';
  const allocate = (): DplrCoefficients[] =>
    Array.from({ length: channels }, () => dplrCoefficients(states, rank));
  const plan = {
    systems: channelSystems(attributes, constants[LAMBDA]!, constants[P]!, constants[B]!),
    c: constants[C]!,
    steps: new StepCache(sizeOf(types[DT]!.shape), allocate),
    discretiser: new DplrStep(states, rank),
    rounded,
    feedback: new Float64Array(rank),
  };
  const dt = constants[DT];
  if (dt === undefined) return { ...plan, coefficients: undefined };
  const coefficients = allocate();
  discretiseChannels(plan, dt, 0, coefficients);
  return { ...plan, coefficients };
}

/** The coefficients of all channels at the steps that stand at `at`. */
export function discretiseChannels(
  { systems, discretiser, rounded }: Pick<DplrPlan, 'systems' | 'discretiser' | 'rounded'>,
  dt: FloatArray,
  at: number,
  into: readonly DplrCoefficients[],
): void {
  for (let h = 0; h < systems.length; h++) {
    const coefficients = into[h]!;
    discretiser.forward(systems[h]!, dt[at + h]!, coefficients);
    if (!rounded) continue;
    for (const values of [coefficients.a, coefficients.F, coefficients.G, coefficients.b]) {
      for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i]!);
    }
  }
}
