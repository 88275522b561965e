import type { Contest } from '../contest.ts';
import { denoiserContests } from './denoisers.ts';
import { filterContests } from './filters.ts';
import { lstmContests } from './lstm.ts';
import { mambaContests } from './mamba.ts';
import { rxjsContests } from './rxjs.ts';
import { s4dContests } from './s4d.ts';
import { streamContests } from './streams.ts';
import { tinyOpsContests } from './tiny-ops.ts';

/** All contests, in the order of the tables. */
export const contests: readonly Contest[] = [
  ...s4dContests,
  ...lstmContests,
  ...mambaContests,
  ...denoiserContests,
  ...streamContests,
  ...rxjsContests,
  ...tinyOpsContests,
  ...filterContests,
];
