import type { Family, Subject } from '../case.ts';
import { block } from '../ways/block.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/**
 * lindermanlab/S5. `output.step_rescale2` is the same system with every step doubled: our stream at half the rate.
 */
export const s5Family: Family = {
  name: 's5',
  matches: ({ source }) => source.startsWith('lindermanlab/S5 s5/ssm.py'),
  open(golden, settings) {
    const subject: Subject = { golden, settings, runs: [formatRun(golden, 's5')] };
    const rescaled = {
      ...formatRun(golden, 's5', { ...golden.config, sample_rate: 2 }),
      sampleRate: 1,
      outputs: { output: 'output.step_rescale2' },
    };
    return layerCase(subject, {
      extras: {
        'output.step_rescale2': {
          ...block({ ...subject, runs: [rescaled] }),
          tolerance: golden.ways.get('block') ?? 0,
        },
      },
    });
  },
};
