/**
 * Bytes by which the heap of a process grows while one stream takes many blocks of one frame. As JSON on stdout.
 *
 *     node test/bench/checks/allocations-process.ts SUBJECT BLOCKS
 */
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { compile } from '../../../src/stream/index.ts';
import { noise } from '../noise.ts';
import { subjects } from './models.ts';

export interface Growth {
  readonly bytes: number;
  /** Whether there was a run in which nothing was collected. */
  readonly isWhole: boolean;
}

const FRAMES = 1;
const RUNS = 5;
/** Runs at most until one grows by nothing: the engine's own bytes come and go, a stream's would be in every one. */
const MOST_RUNS = 15;

/** What Node says of a garbage collection. */
interface Collection {
  readonly startTime: number;
  readonly detail: { readonly flags: number };
}

const subject = process.argv[2]!;
const blocks = Number(process.argv[3]);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const { model, parameters, sampleRate } = subjects[subject]!();
const stream = compile(model, parameters, { sampleRate });
const input = noise(FRAMES * stream.inputChannels);
const output = new Float32Array(stream.maxOutput(FRAMES) * stream.outputChannels);
const grown = (count: number): number => {
  collect();
  const before = getHeapStatistics().used_heap_size;
  for (let i = 0; i < count; i++) stream.process(input, output);
  return getHeapStatistics().used_heap_size - before;
};
for (let i = 0; i < 3; i++) grown(blocks / 10);

// A collection would hide what it took away, so only runs without one count.
const collections: number[] = [];
const observer = new PerformanceObserver((list) => {
  // Node's own types leave `detail` to the entries that a page makes.
  const entries = list.getEntries() as unknown as readonly Collection[];
  for (const { detail, startTime } of entries) {
    if ((detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) === 0) collections.push(startTime);
  }
});
observer.observe({ entryTypes: ['gc'] });
// What the engine does in the background only ever adds, so the least of a few runs is the stream's. It hands out
// memory in pieces, whose size a run of a tenth takes off.
const few = Math.min(...Array.from({ length: RUNS }, () => grown(blocks / 10)));
const runs: { readonly from: number; readonly to: number; readonly bytes: number }[] = [];
for (let i = 0; i < MOST_RUNS && (i < RUNS || runs.every(({ bytes }) => bytes > 0)); i++) {
  const from = performance.now();
  const bytes = grown(blocks) - few;
  runs.push({ from, to: performance.now(), bytes });
  // Where the observer is told, and the compilers get their turn.
  await new Promise((resolve) => setTimeout(resolve, 50));
}
observer.disconnect();
const whole = runs.filter(({ from, to }) => !collections.some((time) => time >= from && time <= to));
const bytes = Math.max(0, Math.min(...(whole.length > 0 ? whole : runs).map((run) => run.bytes)));
console.log(JSON.stringify({ bytes, isWhole: whole.length > 0 } satisfies Growth));
