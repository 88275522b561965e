/**
 * Takes mains hum, rumble and hiss out of a recording with a classical filter, as a stream in constant memory.
 *
 *     node examples/filter-hum.ts [in.wav out.wav]
 *
 * Narrow notches at the mains' harmonics, a gentle high-pass and a gentle low-pass, all defined in continuous time and
 * discretised at the recording's own rate. What a trained model makes of the same recording: `clean-recording.ts`.
 */
import { mkdirSync } from 'node:fs';
import { lastValueFrom } from 'rxjs';
import { bilinear, filter, lti, sequential } from 'statewave';
import { fromWav, ssm, toWav } from 'statewave/operators';
import { siSdrOf } from './support/si-sdr.ts';

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

const [input = 'fixtures/speech/noisy.wav', output = 'out/filtered.wav'] = process.argv.slice(2);
mkdirSync('out', { recursive: true });
const { frames, sampleRate } = await lastValueFrom(fromWav(input).pipe(ssm(cleaner, {}), toWav(output)));
console.log(`${output}: ${(frames / sampleRate).toFixed(1)} s`);
if (input === 'fixtures/speech/noisy.wav') {
  const [before, after] = [input, output].map((path) => siSdrOf(path, 'fixtures/speech/clean.wav'));
  console.log(`SI-SDR: ${before!.toFixed(1)} dB before, ${after!.toFixed(1)} dB after`);
}
