/**
 * The main job: a noisy recording streams through a denoiser that comes with the project and comes out clean, in
 * constant memory, aligned and of its length.
 *
 *     npm start                        the noisy speech in fixtures/speech
 *     npm start -- in.wav out.wav      your own recording, at any rate, with any number of channels
 *
 * The model: Mamba blocks on short-time spectra, 20 ms of look-ahead; `fixtures/models/denoiser` has its card.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lastValueFrom, tap } from 'rxjs';
import { StatewaveError } from 'statewave';
import { createSpectrogram, renderSpectrograms } from 'statewave/audio';
import { loadModel, shippedModel } from 'statewave/models';
import { fromWav, resample, ssm, takeFrames, toWav, wavInfo } from 'statewave/operators';
import { siSdrOf } from './support/si-sdr.ts';

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  if (positionals.length !== 0 && positionals.length !== 2) {
    console.error('usage: npm start [-- in.wav out.wav]');
    process.exitCode = 2;
    return;
  }
  const shipped = positionals.length === 0;
  const [input, output] = shipped
    ? ['fixtures/speech/noisy.wav', 'out/cleaned.wav']
    : (positionals as [string, string]);
  const picture = output.replace(/(\.wav)?$/i, '.png');
  if (shipped) mkdirSync('out', { recursive: true });

  const { model, parameters } = loadModel(shippedModel('denoiser'));
  const { sampleRate, channels, frames } = await wavInfo(input);
  const [before, after] = [
    createSpectrogram({ sampleRate, channels }),
    createSpectrogram({ sampleRate, channels }),
  ];
  let latency = 0;
  const started = performance.now();
  const written = await lastValueFrom(
    fromWav(input, { blockFrames: 512 }).pipe(
      tap((block) => before.push(block)),
      resample(model.sampleRate!),
      ssm(model, parameters, { onStream: (stream) => (latency = stream.latency) }),
      resample(sampleRate),
      takeFrames(frames ?? Number.MAX_SAFE_INTEGER),
      tap((block) => after.push(block)),
      toWav(output),
    ),
  );
  const elapsed = (performance.now() - started) / 1000;
  const seconds = written.frames / sampleRate;
  writeFileSync(
    picture,
    renderSpectrograms([
      { title: `before: ${input}`, spectrogram: before.end() },
      { title: `after: ${output}`, spectrogram: after.end() },
    ]),
  );

  const weights = [...parameters.values()].reduce((sum, { length }) => sum + length, 0);
  console.log(
    `streamed ${seconds.toFixed(1)} s (${sampleRate} Hz, ${channels} ch) in ${elapsed.toFixed(2)} s, ${(seconds / elapsed).toFixed(0)}× real time`,
  );
  console.log(
    `through ${model.name}: ${weights.toLocaleString('en')} weights, ${((1000 * latency) / model.sampleRate!).toFixed(0)} ms of look-ahead`,
  );
  if (shipped) {
    const [noisy, cleaned] = [input, output].map((path) => siSdrOf(path, 'fixtures/speech/clean.wav'));
    console.log(
      `SI-SDR against the clean recording: ${noisy!.toFixed(1)} dB before, ${cleaned!.toFixed(1)} dB after (+${(cleaned! - noisy!).toFixed(1)} dB)`,
    );
  }
  console.log(`result:  ${output}`);
  console.log(`picture: ${picture}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof StatewaveError ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
});
