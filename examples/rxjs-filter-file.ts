/**
 * Takes the rumble out of a recording, block by block in constant memory.
 *
 *     node examples/rxjs-filter-file.ts [in.wav [out.wav]]
 */
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { lastValueFrom } from 'rxjs';
import { frequencyFilter, fromWav, toWav } from 'statewave/operators';

const [
  input = fileURLToPath(new URL('../fixtures/speech/noisy.wav', import.meta.url)),
  output = join(tmpdir(), 'statewave-filtered.wav'),
] = process.argv.slice(2);

const written = await lastValueFrom(
  fromWav(input).pipe(
    // Designed at the rate of the file; a stereo file gets a filter a channel.
    frequencyFilter({ family: 'butterworth', order: 4, type: 'highpass', cutoff: 100 }),
    toWav(output),
  ),
);
console.log(
  `${output}: ${(written.frames / written.sampleRate).toFixed(2)} s, peak ${written.peak.toFixed(3)}`,
);
