import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FormatError } from '../../errors.ts';
import { loadNamModel } from '../../models/nam.ts';
import type { Family } from '../case.ts';
import { layerCase } from './layer.ts';

/** The core runs a capture over silence before its first frame; from here on nothing of that is left. */
const SETTLED = 8192;

/** NeuralAmpModelerCore's output of a capture, which lies among the models or in `peers/nam` beside them. */
export const namFamily: Family = {
  name: 'nam',
  matches: ({ source }) => source.startsWith('sdatkinson/NeuralAmpModelerCore'),
  open(golden, settings) {
    const file = String(golden.config['model']);
    const folders = [settings.models, join(dirname(settings.models), 'peers', 'nam')];
    const folder = folders.find((each) => existsSync(join(each, file)));
    if (folder === undefined) {
      throw new FormatError(
        `${golden.path}: the capture ${file} is not in ${folders.join(' nor ')}; say where (--models)`,
      );
    }
    const { model, parameters, sampleRate } = loadNamModel(join(folder, file));
    const run = {
      model,
      parameters,
      sampleRate,
      inputs: { input: 'input' },
      outputs: { output: 'output' },
      from: SETTLED,
    };
    return layerCase({ golden, settings, runs: [run] });
  },
};
