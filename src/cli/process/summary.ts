import type { WavInfo, WavWriterStats } from '../../audio/index.ts';
import type { Interrupt } from '../support/interrupt.ts';
import { clock } from '../support/progress.ts';
import type { Plan } from './plan.ts';

/** What was done: what `--json` prints. */
export interface Summary {
  readonly input: string;
  readonly output: string;
  readonly model: string;
  /** Written. */
  readonly frames: number;
  /** Of the output. */
  readonly seconds: number;
  readonly channels: number;
  /** Hz, of the output. */
  readonly sampleRate: number;
  readonly encoding: string;
  readonly inputFrames: number;
  readonly inputChannels: number;
  /** Hz. */
  readonly inputSampleRate: number;
  /** Hz that the model ran at. */
  readonly modelSampleRate: number;
  /** Frames of look-ahead at that rate; the output is aligned all the same. */
  readonly latency: number;
  /** Seconds of work. */
  readonly elapsed: number;
  /** Seconds of input for each of them. */
  readonly realtimeFactor: number;
  /** The largest magnitude, full scale being 1. */
  readonly peak: number;
  readonly clipped: number;
  /** Values of the input that were NaN or infinite, and were replaced. */
  readonly nonFinite: number;
  readonly peakMemoryMiB: number;
  readonly interrupted: Interrupt | null;
  readonly warnings: readonly string[];
}

/** What a run has counted. */
export interface Tally {
  frames: number;
  nonFinite: number;
  silence: number;
  latency: number;
}

export function summarise(run: {
  readonly input: string;
  readonly output: string;
  readonly model: string;
  readonly info: WavInfo;
  readonly plan: Plan;
  readonly encoding: string;
  readonly notes: readonly string[];
  readonly stats: Readonly<WavWriterStats>;
  readonly tally: Tally;
  readonly elapsed: number;
  readonly interrupted: Interrupt | undefined;
}): Summary {
  const { info, plan, stats, tally, elapsed } = run;
  const warnings = [...run.notes, ...info.warnings.map((text) => `${run.input}: ${text}`)];
  if (stats.clipped > 0) {
    const over = Math.ceil(20 * Math.log10(stats.peak) * 10) / 10;
    warnings.push(
      `${stats.clipped} samples were beyond full scale and are clipped; lower it by ${over} dB (--gain), or write --float`,
    );
  }
  if (stats.notANumber > 0) warnings.push(`${stats.notANumber} samples of the output are not a number`);
  if (tally.nonFinite > 0)
    warnings.push(`${tally.nonFinite} samples of the input were not finite and were replaced`);
  if (tally.silence > 0)
    warnings.push(`the last ${tally.silence} frames are silent: ${run.model} gives none for them`);
  return {
    input: run.input,
    output: run.output,
    model: run.model,
    frames: stats.frames,
    seconds: stats.frames / plan.outputRate,
    channels: plan.outputChannels,
    sampleRate: plan.outputRate,
    encoding: run.encoding,
    inputFrames: tally.frames,
    inputChannels: info.channels,
    inputSampleRate: info.sampleRate,
    modelSampleRate: plan.modelRate,
    latency: tally.latency,
    elapsed,
    realtimeFactor: elapsed === 0 ? 0 : tally.frames / info.sampleRate / elapsed,
    peak: stats.peak,
    clipped: stats.clipped,
    nonFinite: tally.nonFinite,
    // maxRSS is in KiB on every system that Node runs on.
    peakMemoryMiB: process.resourceUsage().maxRSS / 1024,
    interrupted: run.interrupted ?? null,
    warnings,
  };
}

/** Warnings in any case; on a terminal also a line that says what was done. */
export function tell(summary: Summary, json: boolean): void {
  const { output, seconds, channels, sampleRate, encoding, realtimeFactor, interrupted, warnings } = summary;
  for (const warning of warnings) console.error(`statewave: warning: ${warning}`);
  const what = `${clock(seconds)}, ${channels} ${channels === 1 ? 'channel' : 'channels'} at ${sampleRate} Hz, ${encoding}`;
  const where = output === '-' ? 'stdout' : output;
  if (interrupted !== null)
    console.error(`statewave: ${interrupted}: ${where} holds what was done so far (${what})`);
  else if (process.stderr.isTTY) {
    console.error(`${where}: ${what}; ${realtimeFactor.toPrecision(3)}× real time`);
  }
  if (json) console.log(JSON.stringify(summary, null, 2));
}
