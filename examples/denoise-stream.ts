/**
 * Denoises a live stream: blocks of 10 ms come when they come, as many frames go out as came in, later by the
 * look-ahead of the network.
 *
 *     node examples/denoise-stream.ts attenuate.safetensors [in.wav [speed]]
 *
 * The source plays a recording at the pace of a microphone, or `speed` times as fast. Where to get weights is said in
 * denoise-file.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bufferCount, map, share, zip } from 'rxjs';
import { dbfs, readWav, rms } from 'statewave/audio';
import { loadModel, onRecordings } from 'statewave/models';
import { fromAsyncIterable, ssm } from 'statewave/operators';

const [
  weights,
  input = fileURLToPath(new URL('../fixtures/speech/noisy.wav', import.meta.url)),
  speed = '1',
] = process.argv.slice(2);
if (weights === undefined) {
  console.error('usage: node examples/denoise-stream.ts model.safetensors [in.wav [speed]]');
  process.exit(2);
}

const BLOCK_SECONDS = 0.01;
const loaded = loadModel(weights);
const reader = await readWav(input);
const { sampleRate, channels } = reader.info;
let late = 0;

/** Every block at the moment when a microphone would have it; how far we are behind by then is the latency of work. */
async function* microphone(): AsyncGenerator<Float32Array> {
  const started = performance.now();
  let k = 0;
  for await (const block of reader.blocks(Math.round(sampleRate * BLOCK_SECONDS))) {
    const due = started + (++k * BLOCK_SECONDS * 1000) / Number(speed);
    const wait = due - performance.now();
    late = Math.max(late, -wait);
    if (wait > 0) await sleep(wait);
    yield block;
  }
}

const live = fromAsyncIterable(microphone()).pipe(share());
const denoised = live.pipe(
  ssm(onRecordings(loaded), loaded.parameters, {
    sampleRate,
    channels,
    realtime: true,
    onStream: ({ latency }) =>
      console.log(`${loaded.format}: the output lags by ${((latency / sampleRate) * 1000).toFixed(0)} ms`),
  }),
);

const level = (blocks: readonly ArrayLike<number>[]): number =>
  dbfs(Math.hypot(...blocks.map(rms)) / Math.sqrt(blocks.length));
zip(live, denoised)
  .pipe(
    bufferCount(25),
    map((pairs, quarter) => ({
      seconds: (quarter + 1) / 4,
      before: level(pairs.map(([before]) => before)),
      after: level(pairs.map(([, after]) => after)),
    })),
  )
  .subscribe({
    next: ({ seconds, before, after }) =>
      console.log(`${seconds.toFixed(2)} s  ${before.toFixed(1)} dBFS in, ${after.toFixed(1)} dBFS out`),
    error: (error: Error) => console.error(error.message),
    complete: () => console.log(`never more than ${late.toFixed(0)} ms late at ${speed}× real time`),
  });
