/**
 * Zeros, poles and gain to second-order sections, paired and ordered as scipy.signal.zpk2sos does by default
 * (`pairing='nearest'`): of the poles left, the one nearest to the unit circle takes the zeros nearest to it and
 * becomes the last free section, so that gain rises along the cascade; the whole gain sits in the first section.
 *
 * Where there are fewer zeros than poles, the missing zeros are at infinity and delay the output by as many frames
 * (a section then begins with b0 = 0). scipy puts them at z = 0 instead, which drops the delay.
 */
import { ArgumentError } from '../errors.ts';
import { distance, magnitude } from './complex.ts';
import { splitConjugates } from './conjugates.ts';
import type { Complex, Section, ZerosPolesGain } from './types.ts';

/** A real root with the complex one of each pair: im is 0 for the former, above 0 for the latter. */
type Root = Complex;

const AT_INFINITY: Root = { re: Infinity, im: 0 };
const AT_ZERO: Root = { re: 0, im: 0 };

/**
 * @throws ArgumentError for more zeros than poles (the output would need future input), a gain that is not finite,
 *   or a complex root without its conjugate
 * @example zpkToSos({ zeros: [{ re: -1, im: 0 }], poles: [{ re: 0.5, im: 0 }], gain: 0.25 }) // 0.25 (1 + z^-1) / (1 - 0.5 z^-1)
 */
export function zpkToSos({ zeros, poles, gain }: ZerosPolesGain): Section[] {
  if (!Number.isFinite(gain)) {
    throw new ArgumentError(`zpkToSos: gain is ${gain}: give a finite number`);
  }
  if (zeros.length > poles.length) {
    throw new ArgumentError(
      `zpkToSos: ${zeros.length} zeros and ${poles.length} poles: the output would need future input; ` +
        `add poles at z = 0 to delay it`,
    );
  }
  const freeZeros = oneOfEach(zeros, 'zpkToSos: zeros');
  const freePoles = oneOfEach(poles, 'zpkToSos: poles');
  for (let i = zeros.length; i < poles.length; i++) freeZeros.push(AT_INFINITY);
  // A first-order section is a second-order one with a pole and a zero at z = 0.
  if (poles.length % 2 === 1) {
    freeZeros.push(AT_ZERO);
    freePoles.push(AT_ZERO);
  }
  const sections: Section[] = [];
  while (freePoles.length > 0) sections.unshift(nextSection(freeZeros, freePoles));
  if (sections.length === 0) return [[gain, 0, 0, 1, 0, 0]];
  const [b0, b1, b2, a0, a1, a2] = sections[0];
  sections[0] = [gain * b0, gain * b1, gain * b2, a0, a1, a2];
  return sections;
}

function oneOfEach(roots: readonly Complex[], what: string): Root[] {
  const { pairs, reals } = splitConjugates(roots, what);
  return [...pairs, ...reals.map((re) => ({ re, im: 0 }))];
}

/** Takes the worst pole, its partner, and two zeros. Reals are even in number on both sides, so partners exist. */
function nextSection(zeros: Root[], poles: Root[]): Section {
  const margin = (pole: Root) => Math.abs(1 - magnitude(pole));
  const pole = takeLeast(poles, margin)!;
  const partner = isReal(pole) ? takeLeast(poles, margin, isReal)! : undefined;
  const nearness = (zero: Root) => distance(zero, pole);
  const zero = takeLeast(zeros, nearness)!;
  const second = isReal(zero) ? takeLeast(zeros, nearness, isReal)! : undefined;
  const [b0, b1, b2] = quadratic(zero, second);
  const [a0, a1, a2] = quadratic(pole, partner);
  return [b0, b1, b2, a0, a1, a2];
}

const isReal = (root: Root): boolean => root.im === 0;

/** Removes and returns the first of those allowed with the least cost. */
function takeLeast(
  roots: Root[],
  cost: (root: Root) => number,
  allowed: (root: Root) => boolean = () => true,
): Root | undefined {
  let best = -1;
  for (const [i, root] of roots.entries()) {
    if (allowed(root) && (best < 0 || cost(root) < cost(roots[best]))) best = i;
  }
  return best < 0 ? undefined : roots.splice(best, 1)[0];
}

/** Coefficients of z², z, 1 with these roots: a pair given by one, or two reals, of which any may be at infinity. */
function quadratic(root: Root, second: Root | undefined): [number, number, number] {
  if (second === undefined) return [1, -2 * root.re, root.re * root.re + root.im * root.im];
  const finite = [root.re, second.re].filter(Number.isFinite);
  if (finite.length === 0) return [0, 0, 1];
  if (finite.length === 1) return [0, 1, negate(finite[0])];
  return [1, negate(finite[0] + finite[1]), finite[0] * finite[1]];
}

/** Without -0, which would spoil equality with 0. */
const negate = (value: number): number => 0 - value;
