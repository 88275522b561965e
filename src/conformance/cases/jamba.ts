import type { Family } from '../case.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';
import { lengthOf } from '../ways/outputs.ts';

/** transformers `JambaModel`, whose attention sees the whole past: here a window as long as the sequence. */
export const jambaFamily: Family = {
  name: 'jamba',
  matches: ({ source }) => source.startsWith('transformers JambaModel'),
  open(golden, settings) {
    const { frames } = lengthOf({ golden, settings, runs: [] }, 'input');
    const run = formatRun(golden, 'jamba', { ...golden.config, sliding_window: frames });
    return layerCase({ golden, settings, runs: [run] });
  },
};
