import type { Effort } from '../options.ts';
import type { Row, Skip } from '../rows.ts';

/** A measured number that is no comparison of two times. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: string;
  readonly holds?: boolean;
}

/** What a check found. */
export interface Findings {
  readonly rows?: readonly Row[];
  readonly figures?: readonly Figure[];
  readonly skips?: readonly Skip[];
}

/** Something to measure that is no contest of contenders in turns: fresh processes, memory, a decay. */
export interface Check {
  readonly name: string;
  readonly about: string;
  run(effort: Effort): Findings | Promise<Findings>;
}
