/**
 * The life of one stream in a process of its own: nanoseconds of `compile`, of the first block, and of a block once all
 * is warm (the median of the last). As JSON on stdout.
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
  /** Frames in a block. */
  readonly block: number;
}

const time = (run: () => void): number => {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start);
};

const { model, parameters, sampleRate, block } = subjects[process.argv[2]!]!();
let stream!: ReturnType<typeof compile>;
const compiling = time(() => (stream = compile(model, parameters, { sampleRate })));
const input = noise(block * stream.inputChannels);
const output = new Float32Array(stream.maxOutput(block) * stream.outputChannels);
const run = () => void stream.process(input, output);

const first = time(run);
const times: number[] = [];
for (const end = Date.now() + 700; Date.now() < end;) times.push(time(run));
const steady = spread(times.slice(-Math.ceil(times.length / 2))).median;
console.log(JSON.stringify({ compile: compiling, first, steady, block } satisfies Life));
