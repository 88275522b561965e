/**
 * A dense linear state-space system in float64; all matrices are row-major.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | A | state to state (its derivative, or the next one) | n × n |
 * | B | input to state | n × inputs |
 * | C | state to output | outputs × n |
 * | D | input to output | outputs × inputs |
 */
import { ArgumentError } from '../errors.ts';

/**
 * Continuous `x′ = A x + B u, y = C x + D u`, or discrete `x[k+1] = A x[k] + B u[k], y[k] = C x[k] + D u[k]`.
 *
 * ```ts
 * // A low-pass with a time constant of 10 ms: x′ = (u − x) / 0.01, y = x.
 * const A = new Float64Array([-100]), B = new Float64Array([100]);
 * const lowPass: StateSpace = { n: 1, inputs: 1, outputs: 1, A, B, C: new Float64Array([1]), D: new Float64Array([0]) };
 * ```
 */
export interface StateSpace {
  /** Number of states. */
  readonly n: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly A: Float64Array; // (n × n)
  readonly B: Float64Array; // (n × inputs)
  readonly C: Float64Array; // (outputs × n)
  readonly D: Float64Array; // (outputs × inputs)
}

/**
 * Refuses a system whose matrices do not fit its sizes or hold NaN or infinities.
 *
 * @throws {ArgumentError} naming the matrix, and the entry where there is one.
 */
export function checkStateSpace(system: StateSpace, where: string): void {
  const { n, inputs, outputs } = system;
  const shapes = { A: [n, n], B: [n, inputs], C: [outputs, n], D: [outputs, inputs] } as const;
  for (const name of ['A', 'B', 'C', 'D'] as const) {
    const [rows, columns] = shapes[name];
    const matrix = system[name];
    if (matrix.length !== rows * columns)
      throw new ArgumentError(
        `${where}: ${name} has ${matrix.length} entries, but ${rows} × ${columns} = ${rows * columns} follow from ` +
          `n ${n}, inputs ${inputs}, outputs ${outputs}; give it row-major in that shape`,
      );
    const bad = matrix.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new ArgumentError(
        `${where}: ${name}[${Math.floor(bad / columns)}, ${bad % columns}] is ${matrix[bad]}; every entry has to be finite`,
      );
  }
}

/**
 * Refuses a step that is negative, NaN or infinite. A step of 0 is allowed: the state stays where it is.
 *
 * @throws {ArgumentError}
 */
export function checkStep(dt: number, where: string): void {
  if (!(dt >= 0 && dt < Infinity))
    throw new ArgumentError(
      `${where}: the step dt is ${dt}; it has to be a finite number of seconds, 0 or more ` +
        '(timestamps that run backwards give negative ones: sort them, or drop the frame)',
    );
}
