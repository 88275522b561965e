import type { WavWriterStats } from '../../audio/wav/encode.ts';
import { dbfs } from '../../audio/index.ts';
import type { LiveSession, LiveStatus } from '../../live/node/index.ts';
import type { Interrupt } from '../support/interrupt.ts';
import { clock } from '../support/progress.ts';
import type { Measured } from './measure.ts';

/** What was done. Latencies in milliseconds. */
export interface MicSummary {
  readonly input: string;
  readonly outputs: readonly string[];
  readonly model: string;
  readonly frames: number;
  readonly seconds: number;
  readonly channels: number;
  readonly outputChannels: number;
  readonly sampleRate: number;
  readonly modelSampleRate: number;
  readonly latency: {
    /** Frames from input to output, as declared: the sum of the next three. */
    readonly frames: number;
    readonly model: number;
    readonly resampling: number;
    readonly buffer: number;
    /** What the device says that it adds. */
    readonly device: number;
    readonly total: number;
    /** A click through everything but the device; null where it was not asked for. */
    readonly click: Measured | null;
  };
  /** Share of real time that the model took, on the whole and in its worst block. */
  readonly load: number;
  readonly worstLoad: number;
  readonly dropped: number;
  readonly missing: number;
  readonly nonFinite: number;
  readonly clipped: number;
  readonly interrupted: Interrupt | null;
  readonly warnings: readonly string[];
}

/** No microphone is exactly silent for as long, while somebody's fingers or a fan are there to be heard. */
const SILENT_SECONDS = 2;

export function summarise(run: {
  readonly input: string;
  readonly isMicrophone: boolean;
  readonly outputs: readonly string[];
  readonly channels: number;
  readonly sampleRate: number;
  readonly session: LiveSession;
  readonly status: LiveStatus;
  readonly click: Measured | undefined;
  readonly file: Readonly<WavWriterStats> | undefined;
  readonly interrupted: Interrupt | undefined;
}): MicSummary {
  const { session, status, sampleRate, click, file } = run;
  const { info, latency, deviceLatency } = session;
  const ms = (frames: number, rate = sampleRate): number => (frames / rate) * 1000;
  const model = ms(info.modelLatency, info.modelRate);
  const seconds = status.frames / sampleRate;
  const clipped = file?.clipped ?? status.clipped;
  const warnings: string[] = [];
  const { dropped, missing, nonFinite } = status;
  if (dropped > 0)
    warnings.push(
      `${dropped} frames of input were dropped: the model does not keep up with this machine's load`,
    );
  if (missing > 0) warnings.push(`${missing} frames of output came too late and were silent; raise --buffer`);
  if (nonFinite > 0) warnings.push(`${nonFinite} samples of the input were not finite and became 0`);
  if (clipped > 0) warnings.push(`${clipped} samples of the output were beyond full scale`);
  const silent = status.zeros / sampleRate;
  if (run.isMicrophone && silent >= SILENT_SECONDS) {
    warnings.push(
      `the last ${silent.toFixed(0)} s of the microphone were nothing but zeros: is it muted, or unplugged?`,
    );
  }
  if (click?.delay === null) warnings.push('the click did not come back: the model takes it for noise');
  return {
    input: run.input,
    outputs: run.outputs,
    model: info.model,
    frames: status.frames,
    seconds,
    channels: run.channels,
    outputChannels: info.outputChannels,
    sampleRate,
    modelSampleRate: info.modelRate,
    latency: {
      frames: latency,
      model,
      resampling: ms(info.latency) - model,
      buffer: ms(latency - info.latency),
      device: deviceLatency * 1000,
      total: ms(latency) + deviceLatency * 1000,
      click: click ?? null,
    },
    load: seconds === 0 ? 0 : status.busy / (seconds * 1000),
    worstLoad: status.worstLoad,
    dropped,
    missing,
    nonFinite,
    clipped,
    interrupted: run.interrupted ?? null,
    warnings,
  };
}

/** For people on stderr, for programs on stdout. */
export function tell(summary: MicSummary, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(summary, null, 2));
    return;
  }
  const { latency, sampleRate, modelSampleRate, load, worstLoad, seconds } = summary;
  const rate =
    modelSampleRate === sampleRate ? `${sampleRate} Hz` : `${modelSampleRate} Hz inside ${sampleRate} Hz`;
  const to = summary.outputs.join(' and ');
  const lines = [
    `${clock(seconds)} of ${summary.input} through ${summary.model} at ${rate}, to ${to}`,
    `latency ${latency.total.toFixed(1)} ms: model ${latency.model.toFixed(1)}, resampling ${latency.resampling.toFixed(1)}, ` +
      `buffer ${latency.buffer.toFixed(1)}, device ${latency.device.toFixed(1)}`,
    ...clicked(latency.click),
    `load ${(100 * load).toFixed(1)} % of real time, ${(100 * worstLoad).toFixed(0)} % at worst; ` +
      `${summary.dropped} frames dropped, ${summary.missing} missing`,
  ];
  for (const line of lines) console.error(line);
  for (const warning of summary.warnings) console.error(`statewave: warning: ${warning}`);
}

const clicked = (click: Measured | null): string[] =>
  click === null || click.delay === null
    ? []
    : [
        `a click came back after ${click.milliseconds!.toFixed(1)} ms (${click.delay} frames, ${click.declared} declared), ` +
          `its loudest sample at ${dbfs(click.peak).toFixed(0)} dBFS`,
      ];
