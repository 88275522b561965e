import { initialise } from '../../../src/layers/initialise.ts';
import { biquadFilter } from '../../../src/layers/filter.ts';
import { mamba } from '../../../src/layers/mamba.ts';
import { loadModel, onRecordings } from '../../../src/models/index.ts';
import type { Model } from '../../../src/signal/index.ts';
import type { Parameters } from '../../../src/stream/index.ts';
import { sharedFile } from '../peers/denoisers.ts';
import { s4dRecurrence } from '../s4d/model.ts';

/** A model to be compiled, and blocks that are usual for it. */
export interface Subject {
  readonly model: Model;
  readonly parameters: Parameters;
  readonly sampleRate?: number;
  readonly block: number;
}

const published = (file: string) => (): Subject => {
  const loaded = loadModel(sharedFile('models', file));
  // Longer than the look-ahead, so that every part of the network runs in the first block.
  return { model: onRecordings(loaded), parameters: loaded.parameters, sampleRate: 16_000, block: 2560 };
};

const layer = (model: Model, block: number): Subject => ({ model, parameters: initialise(model, 1), block });

/** Models by the name under which checks know them. @throws Unavailable where a published one is not here. */
export const subjects: Readonly<Record<string, () => Subject>> = {
  's4d 64x32': () => ({ ...s4dRecurrence(64, 32), block: 128 }),
  'mamba 64': () => layer(mamba({ features: 64 }), 128),
  biquad: () => ({
    model: biquadFilter([{ type: 'lowpass', frequency: 1000 }]),
    parameters: {},
    sampleRate: 48_000,
    block: 128,
  }),
  attenuate: published('attenuate.safetensors'),
  'cleanumamba 442k': published('Experiment_CleanU_Mamba.safetensors'),
};
