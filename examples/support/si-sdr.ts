import { readFileSync } from 'node:fs';
import { decodeWav, siSdr } from 'statewave/audio';

/** How near a recording is to a clean one, dB: the scale-invariant signal-to-distortion ratio of two WAV files. */
export const siSdrOf = (path: string, clean: string): number => {
  const [samples, wanted] = [path, clean].map((file) => decodeWav(readFileSync(file)).samples);
  return siSdr(samples!, wanted!);
};
