import type { Family, Subject } from '../case.ts';
import { grad } from '../ways/grad.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/**
 * transformers' `Mamba2Model`, from `inputs_embeds` to behind the last norm. The note states the loss as that of
 * mamba/model: sum(output*cos(0.1*flat_index)).
 */
export const mamba2Family: Family = {
  name: 'mamba2',
  matches: ({ source }) => source.startsWith('transformers Mamba2Model'),
  open(golden, settings) {
    const subject: Subject = { golden, settings, runs: [formatRun(golden, 'mamba2')] };
    const loss = { tensor: 'output', weight: (i: number) => Math.cos(0.1 * i) };
    return layerCase(subject, { ways: { grad: grad(subject, loss) } });
  },
};
