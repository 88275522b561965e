/**
 * Takes the noise out of a recording: block by block in constant memory, a state for each channel, the result aligned
 * with the recording and of its length.
 *
 *     node examples/denoise-file.ts attenuate.safetensors [in.wav [out.wav]]
 *
 * The weights: aTENNuate's `weights.pt` is in github.com/Brainchip-Inc/aTENNuate (Apache-2.0), CleanUMamba's
 * checkpoints in github.com/lab-emi/CleanUMamba (MIT). Make either a file that says what it is with
 *
 *     npx statewave import weights.pt attenuate.safetensors --format attenuate
 *     npx statewave import Experiment_CleanU_Mamba.pkl cleanumamba.safetensors --format cleanumamba
 *
 * Both are for 16 kHz. `npx statewave denoise in.wav out.wav --model …` resamples as well.
 */
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { lastValueFrom } from 'rxjs';
import { loadModel, onRecordings } from 'statewave/models';
import { fromWav, ssm, takeFrames, toWav, wavInfo, withFormat } from 'statewave/operators';

const [
  weights,
  input = fileURLToPath(new URL('../fixtures/speech/noisy.wav', import.meta.url)),
  output = join(tmpdir(), 'statewave-denoised.wav'),
] = process.argv.slice(2);
if (weights === undefined) {
  console.error('usage: node examples/denoise-file.ts model.safetensors [in.wav [out.wav]]');
  process.exit(2);
}

const loaded = loadModel(weights);
const { frames, channels, sampleRate } = await wavInfo(input);

const started = performance.now();
const written = await lastValueFrom(
  fromWav(input).pipe(
    ssm(onRecordings(loaded), loaded.parameters, { onStream: ({ latency }) => console.log({ latency }) }),
    takeFrames(frames ?? Number.MAX_SAFE_INTEGER),
    withFormat({ sampleRate, channels }),
    toWav(output),
  ),
);
const seconds = written.frames / sampleRate;
const speed = seconds / ((performance.now() - started) / 1000);
console.log(`${output}: ${seconds.toFixed(2)} s by ${loaded.format}, ${speed.toFixed(1)}× real time`);
