import { fileURLToPath } from 'node:url';
import { BackendError } from '../../errors.ts';
import { collectNow } from './collect.ts';
import { findDevice } from './devices.ts';
import { fileOf } from './file-of.ts';
import {
  STATE_WORDS,
  STOP,
  TAP,
  PLAYED,
  CAPTURE_ENDED,
  type ClickHeard,
  type TapOptions,
} from './tap-options.ts';
import { loadWebAudio, type Context, type ContextOptions, type WebAudio } from './web-audio.ts';

export interface OpenTapOptions extends Omit<TapOptions, 'state'> {
  readonly sampleRate: number;
  /** The microphone to open; see `findDevice`. Probe it first: opening one that is not there ends the process. */
  readonly microphone?: string | undefined;
  /**
   * The loudspeaker to open, though it be silent. Without one, time passes by the clock of this machine, which no
   * sound card keeps: now and then a microphone's frames come too early or too late then, and `node-web-audio-api`
   * leaves some out, or puts silence between.
   */
  readonly speaker?: string | undefined;
  readonly outputChannels?: number;
  readonly latencyHint?: ContextOptions['latencyHint'] | undefined;
  readonly onClick?: (heard: ClickHeard) => void;
}

/** For devices to be given back. */
const PATIENCE_MS = 2000;

/** An open audio device, or the clock of one, with rings at its callback. */
export interface Tap {
  readonly context: Context;
  /** Captures no more: the ring is closed in the next quantum. */
  stop(): void;
  /** Whether `stop`, or the limit, or the end of the source has come to the callback. */
  readonly captureEnded: boolean;
  /** Whether all that was to be played has been. */
  readonly played: boolean;
  /** Gives the devices back. */
  close(): Promise<void>;
}

/**
 * Opens devices and connects rings to them.
 *
 * @throws BackendError, ArgumentError where they can't be had.
 */
export async function openTap(options: OpenTapOptions): Promise<Tap> {
  const audio = await loadWebAudio();
  const context = await openContext(audio, options);
  try {
    return await connect(audio, context, options);
  } catch (error) {
    await context.close();
    throw error;
  }
}

async function openContext(audio: WebAudio, options: OpenTapOptions): Promise<Context> {
  const { sampleRate, speaker, latencyHint } = options;
  const id = speaker === undefined ? undefined : await findDevice(audio, 'audiooutput', speaker);
  const sinkId = speaker === undefined ? ({ type: 'none' } as const) : id;
  try {
    return new audio.AudioContext({
      sampleRate,
      ...(sinkId === undefined ? {} : { sinkId }),
      ...(latencyHint === undefined ? {} : { latencyHint }),
    });
  } catch (cause) {
    throw new BackendError(
      `the loudspeaker does not open at ${sampleRate} Hz: ${(cause as Error).message}; give another rate, or none`,
      { cause },
    );
  }
}

async function connect(audio: WebAudio, context: Context, options: OpenTapOptions): Promise<Tap> {
  const { capture, source, playback, limit, click, microphone, outputChannels = 1 } = options;
  const state = new SharedArrayBuffer(4 * STATE_WORDS);
  const words = new Int32Array(state);
  await context.audioWorklet.addModule(fileURLToPath(fileOf('./tap-worklet')));
  const processorOptions: TapOptions = { capture, source, playback, limit, click, state };
  const node = new audio.AudioWorkletNode(context, TAP, {
    numberOfInputs: 1,
    numberOfOutputs: 1,
    outputChannelCount: [outputChannels],
    // The first channels as they are: a lone microphone on the left would lose 6 dB to a mixture.
    channelCount: capture?.channels ?? 1,
    channelCountMode: 'explicit',
    channelInterpretation: 'discrete',
    processorOptions,
  });
  if (options.onClick !== undefined) {
    const { onClick } = options;
    node.port.on('message', (heard) => onClick(heard as ClickHeard));
  }
  node.connect(context.destination);
  if (microphone !== undefined) {
    const deviceId = await findDevice(audio, 'audioinput', microphone);
    const constraints = { sampleRate: context.sampleRate, ...(deviceId === undefined ? {} : { deviceId }) };
    const stream = await audio.mediaDevices.getUserMedia({ audio: constraints });
    context.createMediaStreamSource(stream).connect(node);
  }
  return {
    context,
    stop: () => void Atomics.store(words, STOP, 1),
    get captureEnded() {
      return Atomics.load(words, CAPTURE_ENDED) === 1;
    },
    get played() {
      return Atomics.load(words, PLAYED) === 1;
    },
    async close() {
      // A device that has gone answers nothing any more.
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, PATIENCE_MS);
      await Promise.race([context.close(), late.promise]);
      clearTimeout(timer);
      if (microphone !== undefined) await collectNow();
    },
  };
}
