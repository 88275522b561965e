/**
 * Second-order systems in coordinates in which their state never grows by itself, so that their coefficients may move
 * while they run: whatever lies between two of them, entry by entry, is such a system again, hence stable.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | s | frequency | relative to the poles' own |
 * | k | damping | 2ζ = 1/Q |
 * | g | angle | tan(ω/2) of the poles' frequency, prewarped |
 * | c₂, c₁, c₀ | numerator | H(s) = (c₂ s² + c₁ s + c₀) / (s² + k s + 1) |
 *
 * As a pair of integrators, band (v₁) and low (v₂): v₁′ = u − k v₁ − v₂, v₂′ = v₁. Then A + Aᵀ = diag(−2k, 0) ≤ 0, and
 * zoh, the bilinear transform and the backward difference make a contraction of that, |Ā x| ≤ |x|, at every frequency and
 * damping at once. A. Wishnick, "Time-varying filters for musical applications", DAFx-14, §3 and §5.
 */
import { bilinear, type StateSpace } from '../discretize/index.ts';
import { splitConjugates } from '../filters/conjugates.ts';
import type { Complex, Section, ZerosPolesGain } from '../filters/index.ts';

/**
 * H(s) = (c₂ s² + c₁ s + c₀) / (s² + k s + 1) at s relative to `omega`.
 *
 * @param omega rad/s, or 1
 * @param k 0 or more
 */
export function secondOrder(
  omega: number,
  k: number,
  [c2, c1, c0]: readonly [number, number, number],
): StateSpace {
  return {
    n: 2,
    inputs: 1,
    outputs: 1,
    A: Float64Array.of(-k * omega, -omega, omega, 0),
    B: Float64Array.of(omega, 0),
    C: Float64Array.of(c1 - k * c2, c0 - c2),
    D: Float64Array.of(c2),
  };
}

/** A continuous system relative to the frequency of its poles, and the angle at which it is what it came from. */
export interface StateVariable {
  readonly system: StateSpace;
  readonly g: number;
}

/**
 * A digital section with its poles inside the unit circle, as the continuous system of which it is the bilinear
 * transform. First-order sections (a2 = b2 = 0) have one state, a bare gain none.
 */
export function stateVariable([b0, b1, b2, , a1, a2]: Section): StateVariable {
  if (a2 !== 0 || b2 !== 0) {
    // Denominator and numerator at z = 1 and z = −1, which are s = 0 and s = ∞.
    const [low, high] = [1 + a1 + a2, 1 - a1 + a2];
    const g = Math.sqrt(low / high);
    return {
      system: secondOrder(1, (2 * (1 - a2)) / (high * g), [
        (b0 - b1 + b2) / high,
        (2 * (b0 - b2)) / (high * g),
        (b0 + b1 + b2) / low,
      ]),
      g,
    };
  }
  if (a1 === 0 && b1 === 0) {
    const empty = new Float64Array(0);
    return {
      system: { n: 0, inputs: 1, outputs: 1, A: empty, B: empty, C: empty, D: Float64Array.of(b0) },
      g: 1,
    };
  }
  return { system: firstOrder((b0 + b1) / (1 + a1), (b0 - b1) / (1 - a1)), g: (1 + a1) / (1 - a1) };
}

/**
 * A continuous filter with real coefficients, s relative to its cutoff, as systems one behind the other: angles are those
 * of a cutoff whose tangent is 1.
 *
 * @param filter poles in the left half plane; as many zeros at most, those off the real axis no more than such poles
 */
export function stateVariables({ zeros, poles, gain }: ZerosPolesGain): StateVariable[] {
  const left = splitConjugates(zeros, 'filter: zeros');
  const { pairs, reals } = splitConjugates(poles, 'filter: poles');
  const damping = (p: Complex): number => -p.re / Math.hypot(p.re, p.im);
  // The sharpest resonance takes the zeros next to it: what lies between the sections stays small.
  const sections = pairs
    .toSorted((a, b) => damping(a) - damping(b))
    .map((pole): StateVariable => {
      const size = Math.hypot(pole.re, pole.im);
      const near = left.pairs.toSorted((a, b) => Math.abs(a.im - pole.im) - Math.abs(b.im - pole.im))[0];
      if (near) left.pairs.splice(left.pairs.indexOf(near), 1);
      const [first, second] = near ? [] : left.reals.splice(0, 2);
      const numerator: readonly [number, number, number] = near
        ? [1, (-2 * near.re) / size, (near.re ** 2 + near.im ** 2) / size ** 2]
        : first === undefined
          ? [0, 0, 1 / size ** 2]
          : second === undefined
            ? [0, 1 / size, -first / size ** 2]
            : [1, -(first + second) / size, (first * second) / size ** 2];
      return { system: secondOrder(1, 2 * damping(pole), numerator), g: size };
    });
  for (const pole of reals) {
    const [zero] = left.reals.splice(0, 1);
    const [atZero, atInfinity] = zero === undefined ? [-1 / pole, 0] : [zero / pole, 1];
    sections.push({ system: firstOrder(atZero, atInfinity), g: -pole });
  }
  return sections
    .toReversed()
    .map((section, i) => (i === 0 ? { ...section, system: amplified(section.system, gain) } : section));
}

/** H(s) = (atInfinity s + atZero) / (s + 1), in s relative to the pole. */
const firstOrder = (atZero: number, atInfinity: number): StateSpace => ({
  n: 1,
  inputs: 1,
  outputs: 1,
  A: Float64Array.of(-1),
  B: Float64Array.of(1),
  C: Float64Array.of(atZero - atInfinity),
  D: Float64Array.of(atInfinity),
});

const amplified = (system: StateSpace, gain: number): StateSpace => ({
  ...system,
  C: system.C.map((c) => c * gain),
  D: system.D.map((d) => d * gain),
});

/** The digital system, its frequencies moved by `ratio` of their tangents. */
export const digital = ({ system, g }: StateVariable, ratio = 1): StateSpace =>
  system.n === 0 ? system : bilinear.dense(system, 2 * g * ratio);
