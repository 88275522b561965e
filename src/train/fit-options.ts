import { ArgumentError } from '../errors.ts';
import type { BatchSource } from './data/source.ts';
import type { EmaOptions } from './ema.ts';
import type { EpochRecord, StepRecord } from './history.ts';
import type { Loss } from './loss.ts';
import type { Metric } from './metrics.ts';
import type { Optimizer } from './optimizer.ts';
import type { TrainingProgress } from './progress.ts';
import type { Weights } from './run-state.ts';
import type { RateSchedule } from './schedule.ts';
import type { TrainingBackend } from './session.ts';

export interface CheckpointOptions {
  /** The file; its folder has to be there. */
  readonly path: string;
  /** Steps from one to the next; besides, there is one after every epoch. */
  readonly everySteps?: number | undefined;
  /** Goes on with the run in the file, if there is one, and begins anew if there is none; false overwrites it. */
  readonly resume?: boolean | undefined;
}

export interface FitOptions {
  readonly data: BatchSource;
  readonly loss: Loss;
  /** Passes over the data. */
  readonly epochs: number;
  /** The same batches after every epoch, without dropout; the best weights are those that do best here. */
  readonly validation?: BatchSource | undefined;
  /** Further numbers of the validation. */
  readonly metrics?: readonly Metric[] | undefined;
  /** What tells the best weights and when to stop: `loss`, or the kind of a metric. */
  readonly monitor?: string | undefined;
  /** Epochs without a better validation that are put up with; by default all of them. */
  readonly patience?: number | undefined;
  /** `cpu()`: all cores. */
  readonly backend?: TrainingBackend | undefined;
  /** `adamw()` */
  readonly optimizer?: Optimizer | undefined;
  /** `constantRate()` */
  readonly schedule?: RateSchedule | undefined;
  /** Keeps a moving mean of the weights, and validates and returns that. */
  readonly ema?: EmaOptions | undefined;
  /** Of dropout; 0. What is random in the data has a seed of its own. */
  readonly seed?: number | undefined;
  /** Hz of the data; by default the rate that the model was made for. */
  readonly sampleRate?: number | undefined;
  readonly checkpoint?: CheckpointOptions | undefined;
  /** Stops after the step that is running, with a checkpoint if there are any; `fit` then returns as usual. */
  readonly signal?: AbortSignal | undefined;
  /** True: on stderr. */
  readonly progress?: TrainingProgress | boolean | undefined;
  onStart?(run: RunStart): void;
  onStep?(record: StepRecord): void;
  onEpoch?(record: EpochRecord): void;
}

/** Where a run begins, or goes on. */
export interface RunStart {
  readonly backend: string;
  /** 0, or what was done already. */
  readonly step: number;
  readonly epoch: number;
  readonly steps: number;
}

export interface FitResult {
  /** By the validation; without one the last. */
  readonly best: Weights;
  readonly last: Weights;
  readonly history: readonly EpochRecord[];
  /** Steps taken, those before a restart included. */
  readonly steps: number;
  readonly stopped: 'epochs' | 'patience' | 'aborted';
  readonly backend: string;
}

/** @throws ArgumentError naming the option, its value and the cure. */
export function checkOptions({
  data,
  epochs,
  patience,
  checkpoint,
  loss,
  validation,
  metrics = [],
  monitor = 'loss',
}: FitOptions): void {
  const whole = (name: string, value: number, least: number): void => {
    if (!(Number.isSafeInteger(value) && value >= least))
      throw new ArgumentError(`fit: ${name} is ${value}; give a whole number of at least ${least}`);
  };
  whole('epochs', epochs, 1);
  whole('batchesPerEpoch of the data', data.batchesPerEpoch, 1);
  if (patience !== undefined) whole('patience', patience, 0);
  if (checkpoint?.everySteps !== undefined) whole('everySteps', checkpoint.everySteps, 1);
  checkMonitoring({ patience, validation, metrics, monitor });
  for (const [place, source, names] of [
    ['data', data, loss.targets],
    ['validation', validation, [...loss.targets, ...metrics.flatMap(({ targets }) => targets)]],
  ] as const) {
    const missing = names.filter((name) => source !== undefined && !source.targets.includes(name));
    if (missing.length === 0) continue;
    throw new ArgumentError(
      `fit: the ${place} bring the targets ${source!.targets.join(', ') || 'none'}, but "${missing[0]}" is compared with ` +
        'the output; let the data bring it, or set "target" of the loss or metric',
    );
  }
}

/**
 * Whether what is to be watched is there; apart, since it can be known before any data are opened.
 *
 * @throws ArgumentError as `checkOptions`.
 */
export function checkMonitoring({
  patience,
  validation,
  metrics = [],
  monitor = 'loss',
}: Pick<FitOptions, 'patience' | 'metrics' | 'monitor'> & { readonly validation?: unknown }): void {
  if (patience !== undefined && validation === undefined)
    throw new ArgumentError('fit: patience is measured by a validation; give one');
  if (monitor !== 'loss' && !metrics.some(({ kind }) => kind === monitor)) {
    throw new ArgumentError(
      `fit: monitor is "${monitor}", which is none of the metrics (${metrics.map(({ kind }) => kind).join(', ') || 'none'}); ` +
        'use "loss", or add it to them',
    );
  }
}
