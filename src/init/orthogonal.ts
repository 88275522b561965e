import type { Random } from './random.ts';
import type { Weights } from './weights.ts';

/**
 * A random matrix (rows × columns), row-major, whose rows (or columns, whichever are fewer) are orthogonal and of
 * length `gain`: torch `orthogonal_`. Uniform among all such matrices: Gram–Schmidt of normal vectors, which is the
 * QR factorisation with a positive diagonal.
 *
 * Source: Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
 * networks" (arXiv 1312.6120); Mezzadri, "How to generate random matrices from the classical compact groups"
 * (arXiv math-ph/0609050) for the diagonal.
 *
 * @example
 * const weight = orthogonal(new Float64Array(8 * 4), random(1), 8, 4);
 */
export function orthogonal<T extends Weights>(
  into: T,
  rng: Random,
  rows: number,
  columns: number,
  gain = 1,
): T {
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const x = Float64Array.from({ length }, () => rng.normal());
    // Twice: the first pass leaves what cancellation lost.
    for (let pass = 0; pass < 2; pass++) {
      for (const q of vectors) {
        const along = dot(q, x);
        for (let i = 0; i < length; i++) x[i] -= along * q[i];
      }
    }
    const norm = Math.sqrt(dot(x, x));
    // A draw that lies in the span of the others has probability 0; float64 leaves it this much room.
    if (norm > 1e-8) vectors.push(x.map((value) => value / norm));
  }
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++)
      into[r * columns + c] = gain * (rows <= columns ? vectors[r][c] : vectors[c][r]);
  }
  return into;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
