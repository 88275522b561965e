import type { CacheFormat, CacheWriter } from './cache-file.ts';
import { padded, type Recordings } from './recordings.ts';
import { CODINGS } from './sample-type.ts';

interface Held {
  readonly path: string;
  frames: number;
  readonly parts: Uint8Array[];
}

/** What `writeCache` puts into a file, in memory: the same samples to the bit. */
export function memoryWriter(format: CacheFormat): CacheWriter & { recordings(): Recordings } {
  const { channels, sampleRate } = format;
  const { bytes: width, encode, decode } = CODINGS[format.sampleType];
  const held: Held[] = [];
  const skipped: string[] = [];
  return {
    begin: (path) => void held.push({ path, frames: 0, parts: [] }),
    write(block) {
      const bytes = new Uint8Array(block.length * width);
      encode(block, bytes);
      held.at(-1)!.parts.push(bytes);
      held.at(-1)!.frames += block.length / channels;
    },
    undo: () => void held.pop(),
    skip: (why) => void skipped.push(why),
    finish() {},
    abort() {},
    recordings() {
      const stride = channels * width;
      const whole = held.map(({ parts, frames }) => {
        const bytes = new Uint8Array(frames * stride);
        let at = 0;
        for (const part of parts.splice(0)) {
          bytes.set(part, at);
          at += part.length;
        }
        return bytes;
      });
      return {
        sampleRate,
        channels,
        list: held.map(({ path, frames }) => ({ path, frames })),
        skipped,
        read: (index, start, frames) =>
          padded(start, frames, held[index]!.frames, channels, (out, at, from, count) =>
            decode(whole[index]!.subarray(from * stride, (from + count) * stride), out, at * channels),
          ),
        close() {},
      };
    },
  };
}
