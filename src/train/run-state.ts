import type { EpochRecord } from './history.ts';
import type { ScheduleState } from './schedule.ts';
import type { SessionState } from './session.ts';
import type { MeanWeights } from './ema.ts';

/** Weights by name, and where in the run they were. */
export interface Weights {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Epochs done. */
  readonly epoch: number;
  /** Of the validation, or where there is none of the epoch; NaN before the first. */
  readonly loss: number;
}

/** Where a run stands: counters and sums, plain JSON. Together with the tensors it is all that a run goes on from. */
export interface RunPlace {
  /** Steps taken. */
  step: number;
  /** Epochs done, and batches of the one that is running. */
  epoch: number;
  batch: number;
  /** Over the epoch that is running. */
  sums: { loss: number; gradientNorm: number; items: number };
  schedule: ScheduleState;
  /** Epochs since the best one. */
  since: number;
  /** The best score so far, lower being better, and its epoch and loss. */
  best: { score: number; epoch: number; loss: number } | null;
  emaUpdates: number;
  history: EpochRecord[];
}

/** What a checkpoint holds. */
export interface RunState {
  readonly place: RunPlace;
  readonly session: SessionState;
  readonly best: ReadonlyMap<string, Float32Array> | undefined;
  readonly ema: MeanWeights | undefined;
  /** What the run was set to; a run goes on only with the same. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export const beginning = (schedule: ScheduleState): RunPlace => ({
  step: 0,
  epoch: 0,
  batch: 0,
  sums: { loss: 0, gradientNorm: 0, items: 0 },
  schedule,
  since: 0,
  best: null,
  emaUpdates: 0,
  history: [],
});
