/**
 * The life of one stream in a process of its own: nanoseconds of `compile`, of the first block, of a block once all is
 * warm (the median of the last), and of one that code calls which runs for the first time, as the first block's does;
 * and of a method that does nothing, called so. As JSON on stdout.
 *
 *     node test/bench/checks/fresh-process.ts SUBJECT
 */
import { compile } from '../../../src/stream/index.ts';
import { noise } from '../noise.ts';
import { spread } from '../statistics.ts';
import { subjects } from './models.ts';

export interface Life {
  readonly compile: number;
  readonly first: number;
  readonly steady: number;
  readonly freshCaller: number;
  /** A warm method that does nothing, called by code that runs for the first time. */
  readonly nothing: number;
  /** Frames in a block. */
  readonly block: number;
}

const { model, parameters, sampleRate, block } = subjects[process.argv[2]!]!();
const now = (): number => Number(process.hrtime.bigint());
const before = now();
const stream = compile(model, parameters, { sampleRate });
const compiled = now();
const input = noise(block * stream.inputChannels);
const output = new Float32Array(stream.maxOutput(block) * stream.outputChannels);

// Without a function around it, which the engine would compile at its first call.
const start = now();
stream.process(input, output);
const first = now() - start;
const times: number[] = [];
for (const end = Date.now() + 700; Date.now() < end;) {
  const from = now();
  stream.process(input, output);
  times.push(now() - from);
}
const steady = spread(times.slice(-Math.ceil(times.length / 2))).median;
// As the first block, line by line: what is left of its cost is the caller's, whose code has not run and whose arrays
// have not been touched.
const otherInput = noise(block * stream.inputChannels);
const otherOutput = new Float32Array(stream.maxOutput(block) * stream.outputChannels);
const again = now();
stream.process(otherInput, otherOutput);
const freshCaller = now() - again;

class Nothing {
  frames = 0;
  process(from: Float32Array, to: Float32Array): number {
    to[0] = from[0]!;
    return (this.frames += 1);
  }
}
const idle = new Nothing();
const warmUp = (): void => {
  for (let i = 0; i < 200_000; i++) idle.process(input, output);
};
warmUp();
warmUp();
const last = now();
idle.process(otherInput, otherOutput);
const nothing = now() - last;
const life: Life = { compile: compiled - before, first, steady, freshCaller, nothing, block };
console.log(JSON.stringify(life));
