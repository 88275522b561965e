import { createWavWriter, type WavWriter } from '../../audio/index.ts';
import { BackendError } from '../../errors.ts';
import { startLive, type LiveOptions, type LiveSession } from '../../live/node/index.ts';
import { UsageError } from '../support/failure.ts';
import type { Interrupt } from '../support/interrupt.ts';
import { checkModelOptions } from '../process/choose-model.ts';
import type { ProcessOptions } from '../process/filter-options.ts';
import { printDevices, tryDevices } from './devices.ts';
import { showLine } from './line.ts';
import { measureLatency } from './measure.ts';
import { destinations, type Destinations, type MicOptions } from './options.ts';
import { openFileSource, type FileSource } from './source.ts';
import { soundFirst } from './priority.ts';
import { onStop } from './stop.ts';
import { summarise, tell } from './summary.ts';

/** Longest that a session takes to close. */
const GIVE_BACK_MS = 3000;

/**
 * `statewave mic`. Whatever can be refused is refused before a device is opened or a file begun; Ctrl-C ends with a
 * valid file and a summary.
 */
export async function mic(options: MicOptions): Promise<void> {
  if (options.listDevices === true) return printDevices(options.json ?? false);
  const wanted = destinations(options);
  let source: FileSource | undefined;
  try {
    checkModelOptions(options as unknown as ProcessOptions);
    if (options.input !== undefined)
      source = await openFileSource(options.input, { mono: options.mono ?? false });
    await play(options, wanted, source);
  } catch (error) {
    // The verb that was typed, not the one whose options these are too.
    throw (error as Error).name === 'UsageError' ? new UsageError('mic', (error as Error).message) : error;
  } finally {
    await source?.close();
  }
}

async function play(
  options: MicOptions,
  wanted: Destinations,
  source: FileSource | undefined,
): Promise<void> {
  const fast = options.fast ?? false;
  const { sampleRate, clock } = fast
    ? { sampleRate: options.rate ?? source!.sampleRate, clock: undefined }
    : await tryDevices(options, wanted, source?.sampleRate);
  const channels = source?.channels ?? options.channels;
  const live: LiveOptions = {
    model: {
      module: new URL(
        import.meta.url.endsWith('.ts') ? './choose-live-model.ts' : './choose-live-model.js',
        import.meta.url,
      ).href,
      factory: 'chooseLiveModel',
      options,
    },
    input: source?.blocks(sampleRate) ?? options.device ?? 'default',
    sampleRate,
    channels,
    speaker: wanted.speaker,
    clock,
    record: wanted.file !== undefined,
    fast,
    bufferSeconds: options.buffer / 1000,
    limit: options.seconds === undefined ? undefined : Math.round(options.seconds * sampleRate),
    resample: options.resample,
    quality: options.quality,
    precision: options.precision,
  };
  if (!fast) soundFirst();
  const click = options.measureLatency === true ? await measureLatency(live) : undefined;
  const session = await startLive(live);
  try {
    const { interrupted, writer } = await untilItEnds(
      session,
      wanted,
      options,
      sampleRate,
      source === undefined,
    );
    const outputs = [
      ...(wanted.speaker === undefined ? [] : ['the loudspeaker']),
      ...(wanted.file === undefined ? [] : [wanted.file]),
    ];
    const summary = summarise({
      input: options.input ?? 'the microphone',
      isMicrophone: source === undefined,
      outputs: outputs.length === 0 ? ['nothing'] : outputs,
      channels,
      sampleRate,
      session,
      status: session.status(),
      click,
      file: writer?.stats,
      interrupted,
    });
    tell(summary, options.json ?? false);
    if (session.lost) {
      // Threads of a device that has gone never end; what there is to say has been said by then.
      setTimeout(() => process.exit(), 1000 + GIVE_BACK_MS).unref();
      throw new BackendError(
        `the audio device stopped giving frames after ${summary.seconds.toFixed(1)} s; what came before that is complete`,
      );
    }
  } finally {
    await session.close();
  }
}

/** Runs until the input ends or somebody ends it; the file is complete then. */
async function untilItEnds(
  session: LiveSession,
  { file }: Destinations,
  { encoding }: MicOptions,
  sampleRate: number,
  endless: boolean,
): Promise<{ interrupted: Interrupt | undefined; writer: WavWriter | undefined }> {
  const writer =
    file === undefined
      ? undefined
      : createWavWriter(file, { sampleRate, channels: session.info.outputChannels, encoding });
  const clear = showLine(sampleRate, () => session.status());
  const stopper = onStop({
    stop: () => session.stop(),
    atOnce: () => writer?.finalizeNow(),
    // A microphone ends no other way; of a file that is an interruption.
    asked: endless,
  });
  try {
    await Promise.all([session.done, writer && write(session, writer)]);
    await writer?.close();
    return { interrupted: stopper.signal, writer };
  } catch (error) {
    await writer?.abort();
    throw error;
  } finally {
    clear();
    stopper.dispose();
  }
}

async function write(session: LiveSession, writer: WavWriter): Promise<void> {
  for await (const block of session.recorded()) await writer.write(block);
}
