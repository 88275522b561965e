/**
 * What a page sees of a running model besides its sound: a table of numbers that the worklet fills some dozen times a
 * second.
 *
 * | place | what |
 * | --- | --- |
 * | 0 | frames processed |
 * | 1 | load: share of the time that goes into work |
 * | 2, 3, 4 | µs of work a quantum: 99.9th percentile, worst, and how long a quantum lasts |
 * | 5 | quanta whose work took longer than they last |
 * | 6 | frames that the page had no room for |
 * | 7 | 1 where work is measured to microseconds |
 * | 8 … 15 | spare |
 * | 16 … 31 | results of the model, such as scores |
 * | 32 … | state, section by section |
 */
export const FRAMES = 0;
export const LOAD = 1;
export const P999 = 2;
export const WORST = 3;
export const QUANTUM = 4;
export const LATE = 5;
export const DROPPED = 6;
export const EXACT = 7;
export const RESULTS = 16;
export const STATE = 32;
/** Numbers of state that are shown at most. */
export const MOST_STATE = 16_384;
export const SCOPE_SIZE = STATE + MOST_STATE;

/** Where in the scope a section of state stands. */
export interface StateSection {
  /** Where in the model: `layers.0.mixer.scan`. */
  readonly path: string;
  readonly at: number;
  readonly length: number;
  /** Rows × columns; complex state has its real parts first and as many imaginary ones behind them. */
  readonly rows: number;
  readonly columns: number;
  readonly complex: boolean;
}
