/**
 * Zeros, poles and gain to a real state space that stays well-conditioned at any order: a cascade of blocks of one or
 * two states, A block lower triangular. For discretising an analog design as a whole (zero-order hold of a cascade is
 * not the cascade of the holds).
 *
 * A block with poles σ ± iω has A = [[σ, ω], [-ω, σ]], whose eigenvalues are as stable as the poles themselves; a
 * block of reals p, q has [[p, 0], [g, q]] with g of their size. States are dimensionless: B carries the frequency.
 */
import { ArgumentError } from '../errors.ts';
import { distance } from './complex.ts';
import { splitConjugates } from './conjugates.ts';
import type { Complex, SisoStateSpace, ZerosPolesGain } from './types.ts';

/** Two reals or one member of a pair in `poles`; zeros likewise, or fewer. */
interface Block {
  poles: Complex[];
  zeros: Complex[];
}

/**
 * @throws ArgumentError for more zeros than poles, or complex roots without their conjugates
 * @example zpkToSs(designFilter({ family: 'bessel', order: 4, type: 'lowpass', cutoff: 100, analog: true }))
 */
export function zpkToSs({ zeros, poles, gain }: ZerosPolesGain): SisoStateSpace {
  if (zeros.length > poles.length) {
    throw new ArgumentError(
      `zpkToSs: ${zeros.length} zeros and ${poles.length} poles: a state space needs at least as many poles`,
    );
  }
  if (!Number.isFinite(gain)) throw new ArgumentError(`zpkToSs: gain is ${gain}: give a finite number`);
  const blocks = pairUp(zeros, poles);
  // The gain is spread evenly over the blocks, so that no state is out of scale with its neighbours.
  const share = blocks.length === 0 ? 1 : Math.abs(gain) ** (1 / blocks.length);
  let system: SisoStateSpace = { A: [], B: [], C: [], D: blocks.length === 0 ? gain : Math.sign(gain) };
  for (const block of blocks) system = inSeries(system, blockToSs(block, share));
  return system;
}

function pairUp(zeros: readonly Complex[], poles: readonly Complex[]): Block[] {
  const real = (re: number) => ({ re, im: 0 });
  const freePoles = splitConjugates(poles, 'zpkToSs: poles');
  const freeZeros = splitConjugates(zeros, 'zpkToSs: zeros');
  const blocks: Block[] = freePoles.pairs.map((pole) => ({ poles: [pole], zeros: [] }));
  const reals = freePoles.reals.map(real);
  while (reals.length > 0) blocks.push({ poles: reals.splice(0, 2), zeros: [] });
  const states = ({ poles }: Block) => (poles[0].im === 0 ? poles.length : 2);
  for (const zero of freeZeros.pairs) {
    nearest(blocks, zero, (block) => states(block) === 2 && block.zeros.length === 0).zeros.push(zero);
  }
  for (const zero of freeZeros.reals.map(real)) {
    nearest(
      blocks,
      zero,
      (block) => (block.zeros[0]?.im ?? 0) === 0 && block.zeros.length < states(block),
    ).zeros.push(zero);
  }
  return blocks;
}

function nearest(blocks: readonly Block[], zero: Complex, open: (block: Block) => boolean): Block {
  // Fewer zeros than poles, and at most one block of one state: an open block is always left.
  const candidates = blocks.filter(open);
  const cost = (block: Block) => distance(block.poles[0], zero);
  return candidates.reduce((best, block) => (cost(block) < cost(best) ? block : best));
}

/** share · numerator / denominator. */
function blockToSs({ poles, zeros }: Block, share: number): SisoStateSpace {
  const [pole, second] = poles;
  const [b0, b1, b2] = numerator(zeros).map((coefficient) => coefficient * share) as [number, number, number];
  if (pole!.im === 0 && second === undefined) {
    const size = Math.abs(pole!.re) || 1;
    return { A: [[pole!.re]], B: [size], C: [(b2 + b1 * pole!.re) / size], D: b1 };
  }
  if (second === undefined) {
    const { re, im } = pole!;
    // r1 s + r0 is what is left of the numerator after D = b0.
    const r1 = b1 + 2 * re * b0;
    const r0 = b2 - (re * re + im * im) * b0;
    const size = Math.hypot(re, im);
    return {
      A: [
        [re, im],
        [-im, re],
      ],
      B: [0, size],
      C: [(r0 + r1 * re) / (im * size), r1 / size],
      D: b0,
    };
  }
  const [p, q] = [pole!.re, second.re];
  const r1 = b1 + (p + q) * b0;
  const r0 = b2 - p * q * b0;
  const size = Math.max(Math.abs(p), Math.abs(q)) || 1;
  return {
    A: [
      [p, 0],
      [size, q],
    ],
    B: [size, 0],
    C: [r1 / size, (r0 + r1 * q) / (size * size)],
    D: b0,
  };
}

/** Coefficients of s², s, 1. */
function numerator(zeros: readonly Complex[]): [number, number, number] {
  const [zero, second] = zeros;
  if (zero === undefined) return [0, 0, 1];
  if (zero.im !== 0) return [1, -2 * zero.re, zero.re ** 2 + zero.im ** 2];
  if (second === undefined) return [0, 1, -zero.re];
  return [1, -(zero.re + second.re), zero.re * second.re];
}

/** `first` feeds `second`. */
function inSeries(first: SisoStateSpace, second: SisoStateSpace): SisoStateSpace {
  const fill = new Array<number>(second.A.length).fill(0);
  return {
    A: [
      ...first.A.map((row) => [...row, ...fill]),
      ...second.A.map((row, i) => [...first.C.map((value) => second.B[i] * value), ...row]),
    ],
    B: [...first.B, ...second.B.map((value) => value * first.D)],
    C: [...first.C.map((value) => second.D * value), ...second.C],
    D: second.D * first.D,
  };
}
