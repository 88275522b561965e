import type { Model } from '../../signal/index.ts';
import type { Parameters } from '../../stream/index.ts';

/** What a recording goes through. */
export interface Choice {
  readonly model: Model;
  readonly parameters: Parameters;
}
