import { loadModel, onRecordings } from '../../../src/models/index.ts';
import { atMost, type Contender, type Contest } from '../contest.ts';
import { ours } from '../ours.ts';
import { dtln, gtcrn, hops, rnnoise, sharedFile } from '../peers/denoisers.ts';

/** 10 ms, as a microphone would bring them. */
const BLOCK = 160;
const RATE = 16_000;
const TARGET = 0.1;

/** A published network as `statewave denoise` runs it. */
export function denoiser(file: string, block = BLOCK): Contender {
  const loaded = loadModel(sharedFile('models', file));
  return ours(onRecordings(loaded), loaded.parameters, { block, precision: 'auto', sampleRate: RATE });
}

const contest = (name: string, about: string, file: string): Contest => ({
  name,
  about: `${about}, as a stream in blocks of 10 ms at 16 kHz, precision auto; the peers are other networks.`,
  open: () => denoiser(file),
  peers: [
    {
      name: 'GTCRN in onnxruntime-node',
      open: async () => hops(await gtcrn()),
      otherWork: true,
      target: atMost((TARGET / RATE) * 1e9, `ours ≤ ${TARGET} of real time`),
    },
    { name: 'DTLN in onnxruntime-node', open: async () => hops(await dtln()), otherWork: true },
    { name: 'RNNoise', open: rnnoise, otherWork: true },
  ],
});

export const denoiserContests: readonly Contest[] = [
  contest('attenuate stream', 'aTENNuate (845k parameters)', 'attenuate.safetensors'),
  contest(
    'cleanumamba 442k stream',
    '`Experiment_CleanU_Mamba` (442k parameters)',
    'Experiment_CleanU_Mamba.safetensors',
  ),
];
