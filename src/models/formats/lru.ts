import { ArgumentError } from '../../errors.ts';
import { lru } from '../../layers/lru.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/** The keys are those of the official `LRU`: `d_model`, `d_hidden`, and of fresh parameters `r_min`, `r_max`, `max_phase`. */
export const lruFormat: ModelFormat = {
  name: 'lru',
  description: 'LRU, the linear recurrent unit',
  source: 'NicolasZucchet/minimal-LRU lru/model.py LRU',
  build(config) {
    const read = new ConfigReader('lru', config);
    const features = read.integer('d_model', { least: 1 });
    const states = read.integer('d_hidden', { least: 1 });
    const radius = (key: string, otherwise: number): number => {
      const value = config[key] === 0 ? 0 : read.positive(key);
      read.ignore(key);
      return value ?? otherwise;
    };
    const [rMin, rMax] = [radius('r_min', 0), radius('r_max', 1)];
    if (!(rMin < rMax && rMax <= 1)) {
      throw new ArgumentError(`lru: config r_min is ${rMin} and r_max ${rMax}; give 0 ≤ r_min < r_max ≤ 1`);
    }
    const maxPhase = read.positive('max_phase');
    read.done();
    return lru({ features, states, rMin, rMax, ...(maxPhase === undefined ? {} : { maxPhase }) });
  },
};
