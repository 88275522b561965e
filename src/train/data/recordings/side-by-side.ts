import { basename, extname } from 'node:path';
import { ArgumentError } from '../../../errors.ts';
import type { Recordings } from './recordings.ts';

/**
 * Recordings that belong together, such as what went into a device and what came out, as one with the channels of
 * both: those of `first`, then those of `second`. They are matched by their names without the ending.
 *
 * @param tolerance frames by which the lengths may differ: the shorter one counts.
 * @throws ArgumentError where one has no counterpart, or another rate or length.
 * @example sideBySide(noisy, clean) // channel 0: noisy, channel 1: clean
 */
export function sideBySide(first: Recordings, second: Recordings, tolerance = 0): Recordings {
  if (first.sampleRate !== second.sampleRate) {
    throw new ArgumentError(
      `inputs have ${first.sampleRate} Hz, targets ${second.sampleRate} Hz; open both at one rate`,
    );
  }
  const byName = new Map(second.list.map(({ path }, i) => [stem(path), i]));
  const partner = first.list.map(({ path, frames }) => {
    const other = byName.get(stem(path));
    if (other === undefined) {
      throw new ArgumentError(`${path}: no target is called ${stem(path)}; add it, or leave the file out`);
    }
    const there = second.list[other]!;
    if (Math.abs(there.frames - frames) > tolerance) {
      throw new ArgumentError(
        `${path} has ${frames} frames, its target ${there.path} ${there.frames}; cut both to one length`,
      );
    }
    return other;
  });
  const channels = first.channels + second.channels;
  return {
    sampleRate: first.sampleRate,
    channels,
    list: first.list.map(({ path, frames }, i) => ({
      path,
      frames: Math.min(frames, second.list[partner[i]!]!.frames),
    })),
    skipped: [...first.skipped, ...second.skipped],
    read(index, start, frames) {
      const a = first.read(index, start, frames);
      const b = second.read(partner[index]!, start, frames);
      const out = new Float32Array(frames * channels);
      for (let k = 0; k < frames; k++) {
        for (let c = 0; c < first.channels; c++) out[k * channels + c] = a[k * first.channels + c]!;
        for (let c = 0; c < second.channels; c++) {
          out[k * channels + first.channels + c] = b[k * second.channels + c]!;
        }
      }
      return out;
    },
    close() {
      first.close();
      second.close();
    },
  };
}

const stem = (path: string): string => basename(path, extname(path));
