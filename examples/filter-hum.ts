/**
 * The main job: a recording streams through a continuous-time state space model and comes out cleaner, in
 * constant memory.
 *
 *     npm start                        the noisy speech in fixtures/speech
 *     npm start -- in.wav out.wav      your own recording (mains hum, rumble and hiss around a voice)
 *
 * The model is a classical one, not a trained denoiser: narrow notches at the mains' harmonics, a gentle
 * high-pass and a gentle low-pass, all defined in continuous time and discretised at the recording's own rate.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lastValueFrom, tap } from 'rxjs';
import { bilinear, filter, lti, sequential, StatewaveError } from 'statewave';
import {
  createSpectrogram,
  decodeWav,
  renderSpectrograms,
  siSdr,
  type SpectrogramBuilder,
} from 'statewave/audio';
import { fromWav, ssm, toWav, wavInfo } from 'statewave/operators';

/** s² + ω₀² over s² + b s + ω₀²: removes one frequency (Hz) in a band of the given width (Hz). */
const notch = (frequency: number, width: number): { b: number[]; a: number[] } => {
  const [centre, band] = [2 * Math.PI * frequency, 2 * Math.PI * width];
  return { b: [1, 0, centre * centre], a: [1, band, centre * centre] };
};
const highPass = (frequency: number): { b: number[]; a: number[] } => ({
  b: [1, 0],
  a: [1, 2 * Math.PI * frequency],
});

const systems = [highPass(13), notch(50, 1.2), notch(150, 0.9), notch(250, 0.5)];
const cleaner = sequential([
  filter({ family: 'butterworth', order: 2, type: 'lowpass', cutoff: 6000 }),
  ...systems.map((system) => lti(system, { domain: 'continuous', discretization: bilinear })),
]);

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

  const info = await wavInfo(input);
  const { sampleRate, channels } = info;
  const views: SpectrogramBuilder[] = [0, 1].map(() => createSpectrogram({ sampleRate, channels }));
  const started = performance.now();
  const written = await lastValueFrom(
    fromWav(input, { blockFrames: 512 }).pipe(
      tap((block) => views[0]!.push(block)),
      ssm(cleaner, {}),
      tap((block) => views[1]!.push(block)),
      toWav(output),
    ),
  );
  const elapsed = (performance.now() - started) / 1000;
  const seconds = written.frames / sampleRate;
  writeFileSync(
    picture,
    renderSpectrograms([
      { title: `before: ${input}`, spectrogram: views[0]!.end() },
      { title: `after: ${output}`, spectrogram: views[1]!.end() },
    ]),
  );

  console.log(
    `streamed ${seconds.toFixed(1)} s (${sampleRate} Hz, ${channels} ch) in ${elapsed.toFixed(2)} s, ${(seconds / elapsed).toFixed(0)}× real time`,
  );
  console.log(
    'through a high-pass, a low-pass and notches at 50, 150 and 250 Hz: state space models in continuous time',
  );
  if (shipped) {
    const [clean, before, after] = ['fixtures/speech/clean.wav', input, output].map(
      (path) => decodeWav(readFileSync(path)).samples,
    );
    const gain = siSdr(after!, clean!) - siSdr(before!, clean!);
    console.log(
      `SI-SDR against the clean recording: ${siSdr(before!, clean!).toFixed(1)} dB before, ${siSdr(after!, clean!).toFixed(1)} dB after (+${gain.toFixed(1)} dB)`,
    );
  }
  console.log(`result:  ${output}`);
  console.log(`picture: ${picture}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof StatewaveError ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
});
