import { compile, compileBank } from '../../../src/stream/index.ts';
import { timed, type Contender, type Contest } from '../contest.ts';
import { noise } from '../noise.ts';
import { s4dRecurrence } from '../s4d/model.ts';

const STREAMS = 1024;
const CHANNELS = 16;
const { model, parameters } = s4dRecurrence(CHANNELS, 8);

/** Many streams of one model in one call. A sample is a frame of one of them. */
export function bank(count: number, block: number): Contender {
  const streams = compileBank(model, parameters, { precision: 'float32' });
  const ids = Array.from({ length: count }, () => streams.open());
  const input = noise(count * block * streams.inputChannels);
  const output = new Float32Array(count * block * streams.outputChannels);
  return timed(
    'StreamBank, one call',
    block * count,
    () => {
      streams.process(ids, input, output);
    },
    { answer: (probe) => answer(count, block, probe, (from, to) => streams.process(ids, from, to)) },
  );
}

/** The same as lone streams, one call each. */
export function forks(count: number, block: number): Contender {
  const first = compile(model, parameters, { precision: 'float32' });
  const streams = Array.from({ length: count }, (_, i) => (i === 0 ? first : first.fork()));
  const width = block * first.inputChannels;
  const run = (from: Float32Array, to: Float32Array): void => {
    for (let i = 0; i < count; i++) {
      streams[i]!.process(from.subarray(i * width, (i + 1) * width), to.subarray(i * width, (i + 1) * width));
    }
  };
  const input = noise(count * width);
  const output = new Float32Array(count * width);
  // Views are made beforehand: that cost is the caller's.
  const feeds = streams.map((stream, i) => ({
    stream,
    from: input.subarray(i * width, (i + 1) * width),
    to: output.subarray(i * width, (i + 1) * width),
  }));
  return timed(
    'a Stream each, a call each',
    block * count,
    () => {
      for (const { stream, from, to } of feeds) stream.process(from, to);
    },
    { answer: (probe) => answer(count, block, probe, run) },
  );
}

/** The probe's blocks go to all streams alike, scaled so that each hears something of its own. */
function answer(
  count: number,
  block: number,
  probe: Float32Array,
  run: (input: Float32Array, output: Float32Array) => void,
): Float32Array {
  const width = block * CHANNELS;
  const blocks = Math.floor(probe.length / width);
  const all = new Float32Array(blocks * count * width);
  const input = new Float32Array(count * width);
  for (let i = 0; i < blocks; i++) {
    for (let j = 0; j < input.length; j++) {
      input[j] = probe[i * width + (j % width)]! * (1 + Math.floor(j / width) / count);
    }
    run(input, all.subarray(i * count * width, (i + 1) * count * width));
  }
  return all;
}

const contest = (block: number): Contest => ({
  name: `streams ${STREAMS} s4d 16x8 block${block}`,
  about: `${STREAMS} independent streams of one model (S4D, 16 channels × 8 complex states), ${block === 1 ? 'one sample' : `blocks of ${block}`} each; a sample is a frame of one stream.`,
  open: () => bank(STREAMS, block),
  probe: noise(4 * block * CHANNELS, 21),
  // The bank's bits are those of lone streams.
  tolerance: 0,
  peers: [{ name: 'a Stream each', open: () => forks(STREAMS, block) }],
});

export const streamContests: readonly Contest[] = [contest(128), contest(1)];
