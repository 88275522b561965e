/** The thread that a live model runs in. After the rings have come it blocks, and stops when its input is closed. */
import { parentPort, workerData } from 'node:worker_threads';
import { compile, type Stream } from '../../stream/index.ts';
import { Gauges } from '../gauges.ts';
import { LevelMeter } from '../level-meter.ts';
import { RingBuffer } from '../ring-buffer.ts';
import { voices, type EndingStream } from '../voices.ts';
import type { FromModel, ModelFactory, ModelJob, ModelRings } from './model-messages.ts';

/** How long to sleep where a ring is full, and how long to wait for input. */
const NAP_MS = 1;
const PATIENCE_MS = 1000;
/** Blocks of silence before it counts: the engine optimises what it has not met yet. */
const WARM_UP_BLOCKS = 60;

const job = workerData as ModelJob;
const gauges = new Gauges(job.gauges);
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const port = parentPort!;
// eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
const say = (message: FromModel): void => port.postMessage(message);

let nonFinite = 0;

async function build(): Promise<{ stream: Stream; chain: EndingStream }> {
  const factory = ((await import(job.module)) as Record<string, ModelFactory>)[job.factory ?? 'default']!;
  const { model, parameters } = await factory(job.options as never);
  const stream = compile(model, parameters, {
    sampleRate: job.resample ? (model.sampleRate ?? job.contextRate) : job.contextRate,
    precision: job.precision,
    nonFinite: 'zero',
    onDiagnostic: ({ count }) => gauges.set('nonFinite', (nonFinite += count)),
  });
  return { stream, chain: open(stream) };
}

const open = (stream: Stream): EndingStream => voices(stream, job.channels, job);

/** The same work on a copy. */
function warmUp(stream: Stream): void {
  const chain = open(stream.fork());
  const output = new Float32Array(chain.maxOutput(128) * chain.outputChannels);
  const input = new Float32Array(Math.min(128, job.maxFrames) * job.channels);
  for (let i = 0; i < WARM_UP_BLOCKS; i++) chain.process(input, output);
}

function run(chain: EndingStream, rings: ModelRings): void {
  const input = new RingBuffer(rings.input);
  const outputs = rings.outputs.map((memory) => new RingBuffer(memory));
  const { channels, maxFrames, contextRate } = job;
  const all = new Float32Array(maxFrames * channels);
  const blocks: Float32Array[] = [];
  const output = new Float32Array(chain.maxOutput(maxFrames) * chain.outputChannels);
  const meterIn = new LevelMeter(contextRate * channels);
  const meterOut = new LevelMeter(contextRate * chain.outputChannels);
  let taken = 0;
  let given = 0;
  let busy = 0;
  let worst = 0;
  let zeros = 0;
  for (;;) {
    const closed = input.closed;
    const frames = Math.min(input.available, maxFrames);
    if (frames === 0) {
      if (closed) break;
      input.wait(1, PATIENCE_MS);
      continue;
    }
    const block = (blocks[frames] ??= all.subarray(0, frames * channels));
    input.read(block, frames);
    zeros = block.some((x) => x !== 0) ? 0 : zeros + frames;
    const started = performance.now();
    const made = chain.process(block, output);
    const spent = performance.now() - started;
    busy += spent;
    worst = Math.max(worst, spent / ((frames / contextRate) * 1000));
    taken += frames;
    given += made;
    meterIn.push(block);
    meterOut.push(output, made * chain.outputChannels);
    pass(outputs, output, made);
    gauges.set('peakIn', meterIn.peak);
    gauges.set('rmsIn', meterIn.rms);
    gauges.set('peakOut', meterOut.peak);
    gauges.set('rmsOut', meterOut.rms);
    gauges.set('clipped', meterOut.clipped);
    gauges.set('busy', busy);
    gauges.set('worstLoad', worst);
    gauges.set('zeros', zeros);
    gauges.set('frames', taken);
  }
  // As long as the input, as a file that goes through a model is.
  const rest = chain.flush();
  const due = taken - given;
  const last = new Float32Array(due * chain.outputChannels);
  last.set(rest.subarray(0, Math.min(rest.length, last.length)));
  pass(outputs, last, due);
  for (const ring of outputs) ring.close();
}

/** All frames into all rings: who reads them may be late, and nothing is lost for it. */
function pass(outputs: readonly RingBuffer[], block: Float32Array, frames: number): void {
  for (const ring of outputs) {
    // A ring that its reader has closed wants no more.
    for (let done = 0; done < frames && !ring.closed;) {
      done += ring.write(block, frames - done, done);
      if (done < frames) Atomics.wait(sleeper, 0, 0, NAP_MS);
    }
  }
}

function failed(error: unknown): void {
  const { name, message, stack } = error as Error;
  say({ kind: 'error', name, message, stack });
}

try {
  const { stream, chain } = await build();
  warmUp(stream);
  port.once('message', (rings: ModelRings) => {
    try {
      run(chain, rings);
      say({ kind: 'done' });
    } catch (error) {
      failed(error);
    }
  });
  say({
    kind: 'ready',
    info: {
      model: stream.identity.model,
      modelRate: stream.sampleRate ?? job.contextRate,
      outputChannels: chain.outputChannels,
      latency: chain.latency,
      modelLatency: stream.latency,
    },
  });
} catch (error) {
  failed(error);
}
