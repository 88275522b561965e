import type { Diagnostic, Block, Stream } from '../../src/stream/index.ts';
import { StreamError } from '../../src/errors.ts';
import { realtime } from '../../src/stream/realtime.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { checkFrames } from '../core/format.ts';
import { deinterleaved, interleaved } from '../channels/planar.ts';

/** What takes blocks and gives fresh ones: a Stream, or something around streams. */
export interface Voice {
  push(block: Block): FloatArray;
  flush(): FloatArray;
  /** As `Stream.process`, without a fresh array; not where one state a channel runs. */
  process?(input: FloatArray, output: FloatArray): number;
}

/** Blocks of any size go to the real-time edge in pieces of this many frames at most. */
const EDGE_FRAMES = 1024;

/** n frames out for n in; nothing is left to flush. */
export function edge(stream: Stream): Voice {
  const inner = realtime(stream, EDGE_FRAMES);
  const { inputChannels, outputChannels } = stream;
  const room = (length: number): FloatArray =>
    stream.identity.precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
  return {
    push(block) {
      if (!isFloatArray(block)) {
        throw new StreamError(`${stream.identity.model}: realtime takes arrays, not blocks of named ports`);
      }
      const frames = checkFrames(`ssm(${stream.identity.model})`, block, inputChannels);
      const output = room(frames * outputChannels);
      for (let at = 0; at < frames; at += EDGE_FRAMES) {
        const end = Math.min(frames, at + EDGE_FRAMES);
        inner.process(
          block.subarray(at * inputChannels, end * inputChannels),
          output.subarray(at * outputChannels, end * outputChannels),
        );
      }
      return output;
    },
    flush: () => room(0),
    process: (input, output) => inner.process(input, output),
  };
}

/** A model of one channel on many: one voice a channel; a frame holds the first channel's outputs first. */
export function perChannel(voices: readonly Voice[], outputChannels: number, notes: Diagnostic[]): Voice {
  const join = (outputs: FloatArray[]): FloatArray => interleaved(outputs, outputChannels);
  return {
    push(block) {
      if (!isFloatArray(block)) {
        throw new StreamError('one state a channel takes arrays, not blocks of named ports');
      }
      checkFrames('one state a channel', block, voices.length);
      const planes = deinterleaved(block, voices.length);
      return join(
        voices.map((voice, channel) => {
          const before = notes.length;
          const output = voice.push(planes[channel]!);
          for (let i = before; i < notes.length; i++) notes[i] = { ...notes[i]!, channel };
          return output;
        }),
      );
    },
    flush: () => join(voices.map((voice) => voice.flush())),
  };
}

export const isFloatArray = (value: unknown): value is FloatArray =>
  value instanceof Float32Array || value instanceof Float64Array;
