import { setTimeout as sleep } from 'node:timers/promises';
import type { ResampleQuality } from '../../audio/resample.ts';
import type { Precision } from '../../signal/index.ts';
import { gaugeMemory, Gauges, type GaugeValues } from '../gauges.ts';
import { RingBuffer, ringMemory } from '../ring-buffer.ts';
import type { ModelInfo, ModelModule } from './model-messages.ts';
import { startModelThread, type ModelThread } from './model-thread.ts';
import { openTap, type Tap } from './tap.ts';
import type { Click, ClickHeard } from './tap-options.ts';
import { watch } from './watch.ts';
import type { ContextOptions } from './web-audio.ts';

export interface LiveOptions {
  /** The model, as a module that makes it. */
  readonly model: ModelModule;
  /** A microphone (see `findDevice`), or blocks that take its place: frames × channels at `sampleRate`. */
  readonly input: string | AsyncIterable<Float32Array>;
  /** Hz of the audio context. */
  readonly sampleRate: number;
  /** Of the input. */
  readonly channels: number;
  /** The loudspeaker; without one nothing is heard, and time passes by a clock. */
  readonly speaker?: string | undefined;
  /** A loudspeaker whose clock a microphone follows where nothing is heard; see `openTap`. */
  readonly clock?: string | undefined;
  /** Collect the output for `recorded`. */
  readonly record?: boolean;
  /** Blocks go through as fast as they can, without an audio context. */
  readonly fast?: boolean;
  /** Seconds of output that wait to be played, so that a busy machine does not stutter. */
  readonly bufferSeconds: number;
  /** Stops after so many frames of input. */
  readonly limit?: number | undefined;
  /** Run the model at its own rate, between resamplers; true by default. */
  readonly resample?: boolean | undefined;
  readonly quality?: ResampleQuality | undefined;
  readonly precision?: Precision | undefined;
  readonly latencyHint?: ContextOptions['latencyHint'] | undefined;
  /** A click in place of the input, to measure the latency. */
  readonly click?: ((declared: number) => Click) | undefined;
}

/** How it goes. Frames at the context's rate. */
export interface LiveStatus extends GaugeValues {
  /** Frames that wait for the model, and behind it for the loudspeaker. */
  readonly queuedIn: number;
  readonly queuedOut: number;
  /** Frames of input that came while the queue was full. */
  readonly dropped: number;
  /** Frames of output that were not there in time. */
  readonly missing: number;
}

export interface LiveSession {
  readonly info: ModelInfo;
  /** Frames from input to output: model, resamplers and buffer. 0 frames of buffer where nothing is played. */
  readonly latency: number;
  /** Seconds that the device adds at the output, as it says itself. */
  readonly deviceLatency: number;
  status(): LiveStatus;
  /** The output, aligned with the input and as long, in fresh blocks; to be read once, all along. */
  recorded(): AsyncGenerator<Float32Array, void, void>;
  /** Takes no more input; what has been taken comes to its end. */
  stop(): void;
  /** What the microphone's click came back as. */
  readonly heard: Promise<ClickHeard>;
  /** Settles when all of the output has been passed on, and played where it is. */
  readonly done: Promise<void>;
  /** The device gave nothing more: pulled out, or its server has gone. What came before is complete. */
  readonly lost: boolean;
  /** Gives devices and threads back, at once. */
  close(): Promise<void>;
}

/** Seconds that may wait for the model, for a recording's file, and of blocks that are read ahead. */
const INPUT_SECONDS = 2;
const RECORD_SECONDS = 10;
const SOURCE_SECONDS = 1;
/** The most frames that the model takes at a time. */
const MAX_FRAMES = 1024;
const POLL_MS = 5;

/**
 * Runs a model live: microphone, or blocks in its place → audio callback → ring → model in a thread → ring → audio
 * callback → loudspeaker; a copy of the output for a recording.
 *
 * @throws BackendError, ArgumentError where devices can't be had (see `probe` for microphones), and what the model
 *   throws as it is built.
 * @example
 * const session = await startLive({ model: { module, options }, input: 'default', sampleRate: 48_000, channels: 1,
 *   speaker: 'default', bufferSeconds: 0.04 });
 */
export async function startLive(options: LiveOptions): Promise<LiveSession> {
  const { sampleRate, channels, speaker, record = false, fast = false, click } = options;
  const gauges = gaugeMemory();
  const thread = await startModelThread({
    ...options.model,
    contextRate: sampleRate,
    channels,
    maxFrames: MAX_FRAMES,
    resample: options.resample ?? true,
    quality: options.quality,
    precision: options.precision,
    gauges,
  });
  try {
    return await begin(options, thread, new Gauges(gauges), {
      sampleRate,
      channels,
      speaker,
      record,
      fast,
      click,
    });
  } catch (error) {
    await thread.close();
    throw error;
  }
}

type Filled = Pick<LiveOptions, 'sampleRate' | 'channels' | 'speaker' | 'click'> & {
  record: boolean;
  fast: boolean;
};

async function begin(
  options: LiveOptions,
  thread: ModelThread,
  gauges: Gauges,
  { sampleRate, channels, speaker, record, fast, click }: Filled,
): Promise<LiveSession> {
  const { info } = thread;
  const ring = (seconds: number, width: number): RingBuffer =>
    new RingBuffer(ringMemory({ frames: Math.ceil(seconds * sampleRate), channels: width }));
  const capture = ring(INPUT_SECONDS, channels);
  const recording = record ? ring(RECORD_SECONDS, info.outputChannels) : undefined;
  // A click has to come back even where nothing is heard.
  const plays = !fast && (speaker !== undefined || click !== undefined);
  const latency = info.latency + (plays ? Math.round(options.bufferSeconds * sampleRate) : 0);
  const playback = plays ? ring(latency / sampleRate + INPUT_SECONDS, info.outputChannels) : undefined;
  playback?.writeSilence(latency);
  const outputs = [playback, recording].filter((one) => one !== undefined);
  const ran = thread.run({ input: capture.memory, outputs: outputs.map(({ memory }) => memory) });
  const heard = Promise.withResolvers<ClickHeard>();

  let source: RingBuffer | undefined;
  let feeding = Promise.resolve();
  const life = { stopped: false, ended: false, lost: false };
  if (typeof options.input !== 'string' && click === undefined) {
    // Without a context they go to the model directly, and end where they have to.
    source = fast ? capture : ring(SOURCE_SECONDS, channels);
    const into = source;
    const limit = fast ? options.limit : undefined;
    feeding = feed(
      options.input,
      into,
      limit,
      () => life.stopped || life.ended || (!fast && capture.closed),
    ).finally(() => into.close());
    feeding.catch(() => {});
    if (!fast) while (!into.closed && into.room > into.capacity / 2) await sleep(POLL_MS);
  }
  let tap: Tap | undefined;
  if (!fast) {
    tap = await openTap({
      sampleRate,
      capture: capture.memory,
      source: source?.memory,
      playback: playback?.memory,
      microphone: typeof options.input === 'string' && click === undefined ? options.input : undefined,
      speaker: speaker ?? options.clock,
      outputChannels: info.outputChannels,
      latencyHint: options.latencyHint,
      limit: options.limit,
      click: click?.(latency),
      onClick: heard.resolve,
    }).catch((error: unknown) => {
      life.ended = true;
      throw error;
    });
  }

  const unwatch =
    tap === undefined
      ? () => {}
      : watch(capture, () => {
          life.lost = true;
          life.stopped = true;
          capture.close();
        });

  const close = async (): Promise<void> => {
    life.ended = true;
    unwatch();
    capture.close();
    for (const one of outputs) one.close();
    await tap?.close();
    await thread.close();
  };
  const whole = async (): Promise<void> => {
    await Promise.all([ran, feeding]).finally(unwatch);
    // The rest is heard, but of a microphone that was stopped.
    if (source === undefined || playback === undefined) return;
    while (tap!.played === false && !life.stopped && !life.ended) await sleep(POLL_MS);
  };
  const done = whole();
  // Whoever closes early need not look.
  done.catch(() => {});
  return {
    info,
    latency,
    deviceLatency: tap?.context.outputLatency ?? 0,
    status: () => ({
      ...gauges.all(),
      queuedIn: capture.available,
      queuedOut: playback?.available ?? 0,
      dropped: capture.counts.dropped,
      missing: playback?.counts.missing ?? 0,
    }),
    async *recorded() {
      const from = recording!;
      const block = new Float32Array(4096 * from.channels);
      for (;;) {
        const closed = from.closed;
        const frames = from.read(block);
        if (frames > 0) yield block.slice(0, frames * from.channels);
        else if (closed) return;
        else await sleep(POLL_MS);
      }
    },
    stop() {
      life.stopped = true;
      if (tap === undefined) capture.close();
      else tap.stop();
      // A device that has gone calls no more.
      setTimeout(() => capture.close(), 500).unref();
    },
    get lost() {
      return life.lost;
    },
    heard: heard.promise,
    done,
    close,
  };
}

/** Blocks into a ring, as they find room. */
async function feed(
  blocks: AsyncIterable<Float32Array>,
  into: RingBuffer,
  limit = Infinity,
  over: () => boolean,
): Promise<void> {
  let left = limit;
  for await (const block of blocks) {
    const frames = Math.min(left, block.length / into.channels);
    for (let done = 0; done < frames && !over();) {
      done += into.write(block, frames - done, done);
      if (done < frames) await sleep(1);
    }
    left -= frames;
    if (over() || left <= 0) return;
  }
}
