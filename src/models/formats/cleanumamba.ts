import { ArgumentError } from '../../errors.ts';
import { cleanUMamba, cleanUMambaSizes } from '../clean-u-mamba.ts';
import type { ModelFormat } from '../format.ts';
import { runningLevel } from '../running-level.ts';

/**
 * The published configurations say what a network was before it was pruned; its sizes are those of its weights. So
 * no key of the configuration is needed, and none is looked at.
 */
export const cleanUMambaFormat: ModelFormat = {
  name: 'cleanumamba',
  description:
    'CleanUMamba, a speech denoiser on raw waveforms at 16 kHz, with a Mamba or an LSTM bottleneck',
  source: 'lab-emi/CleanUMamba network.py',
  build(_config, shapes) {
    if (shapes === undefined) {
      throw new ArgumentError(
        'cleanumamba: a network has the sizes of its weights; build it from a checkpoint',
      );
    }
    return cleanUMamba(cleanUMambaSizes(shapes));
  },
  // The official code divides a clip by its standard deviation first.
  onRecordings: (model) => runningLevel(model),
};
