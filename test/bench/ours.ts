import type { StreamBackend } from '../../src/backends/backend.ts';
import { defaultBackend } from '../../src/backends/wasm/index.ts';
import type { Model, Precision } from '../../src/signal/index.ts';
import { compile, type Parameters, type Stream } from '../../src/stream/index.ts';
import { timed, type Contender } from './contest.ts';
import { noise } from './noise.ts';

export interface OursOptions {
  readonly name?: string;
  /** Frames in a block. */
  readonly block: number;
  readonly backend?: StreamBackend;
  /** float32 as the peers' unless said otherwise. */
  readonly precision?: Precision;
  readonly sampleRate?: number;
  /** Blocks given out of one reel of noise, one behind the other. */
  readonly blocks?: number;
}

/** A model as a stream, in blocks. */
export function ours(model: Model, parameters: Parameters, options: OursOptions): Contender {
  const { block, backend = defaultBackend(), precision = 'float32', sampleRate, blocks = 8 } = options;
  const stream = compile(model, parameters, { backend, precision, sampleRate });
  const input = noise(blocks * block * stream.inputChannels);
  const feeds = Array.from({ length: blocks }, (_, i) =>
    input.subarray(i * block * stream.inputChannels, (i + 1) * block * stream.inputChannels),
  );
  const output = new Float32Array(stream.maxOutput(block) * stream.outputChannels);
  let at = 0;
  return timed(
    options.name ?? `statewave ${backend.name}`,
    block,
    () => {
      stream.process(feeds[at]!, output);
      at = at + 1 === blocks ? 0 : at + 1;
    },
    { sampleRate: stream.sampleRate, answer: (probe) => answerOf(stream, probe, block) },
  );
}

/** What a fresh stream makes of a probe, in blocks; it starts anew afterwards. */
function answerOf(stream: Stream, probe: Float32Array, block: number): Float32Array {
  stream.reset();
  const frames = Math.floor(probe.length / stream.inputChannels);
  const output = new Float32Array(frames * stream.outputChannels);
  const room = new Float32Array(stream.maxOutput(block) * stream.outputChannels);
  let written = 0;
  for (let at = 0; at + block <= frames; at += block) {
    const input = probe.subarray(at * stream.inputChannels, (at + block) * stream.inputChannels);
    const ready = stream.process(input, room) * stream.outputChannels;
    output.set(room.subarray(0, ready), written);
    written += ready;
  }
  stream.reset();
  return output.subarray(0, written);
}
