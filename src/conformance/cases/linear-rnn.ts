import type { Family } from '../case.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/** Diagonal recurrences in discrete time, each a registered format with nothing beyond inputs and outputs. */
const formats = [
  { format: 'lru', source: 'NicolasZucchet/minimal-LRU' },
  { format: 'min-gru', source: 'lucidrains/minGRU-pytorch' },
  { format: 'rg-lru', source: 'transformers RecurrentGemmaRglru' },
];

/** LRU, minGRU, RG-LRU. */
export const linearRnnFamilies: readonly Family[] = formats.map(({ format, source }) => ({
  name: format,
  matches: (golden) => golden.source.startsWith(source),
  open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, format)] }),
}));
