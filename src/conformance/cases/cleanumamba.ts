import { basename, join } from 'node:path';
import { loadModel } from '../../models/index.ts';
import type { Family } from '../case.ts';
import { layerCase } from './layer.ts';

/** CleanUMamba on a clip that has been divided by its standard deviation; `<weights>__<clip>` is the file's name. */
export const cleanUMambaFamily: Family = {
  name: 'cleanumamba',
  matches: ({ path, kinds }) => kinds.includes('network') && basename(path).includes('__'),
  open(golden, settings) {
    const [weights] = basename(golden.path).split('__');
    const { model, parameters } = loadModel(join(settings.models, `${weights}.safetensors`));
    const run = {
      model,
      parameters,
      inputs: { input: 'input' },
      outputs: { output: 'output' },
      cropped: true,
    };
    return layerCase({ golden, settings, runs: [run] });
  },
};
