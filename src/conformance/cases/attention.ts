import type { Family } from '../case.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/** torch's multi-head attention, masked to a window. */
export const attentionFamily: Family = {
  name: 'attention',
  matches: ({ source }) => source === 'torch.nn.MultiheadAttention',
  open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, 'attention')] }),
};
