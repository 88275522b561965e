import { minGru } from '../../layers/min-gru.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/** The keys are those of the official `minGRU`: `dim`, `expansion_factor` (1), `proj_out` (where the expansion is not 1). */
export const minGruFormat: ModelFormat = {
  name: 'min-gru',
  description: 'minGRU, a gated linear recurrence',
  source: 'lucidrains/minGRU-pytorch minGRU.py minGRU',
  build(config) {
    const read = new ConfigReader('min-gru', config);
    const features = read.integer('dim', { least: 1 });
    const expansion = read.positive('expansion_factor') ?? 1;
    const projection = read.boolean('proj_out', expansion !== 1);
    read.done();
    return minGru({ features, expansion, projection });
  },
};
