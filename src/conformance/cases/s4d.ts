import type { Family } from '../case.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/** state-spaces/s4 `s4d.py`. */
export const s4dFamily: Family = {
  name: 's4d',
  matches: ({ source }) => source.startsWith('state-spaces/s4 models/s4/s4d.py'),
  open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, 's4d')] }),
};
