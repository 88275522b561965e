/** Training: `statewave/train`. Whoever only streams loads none of it. */
export { evaluate } from './evaluate.ts';
export { gradient, type Gradients } from './gradient.ts';
export * from './online/index.ts';
export type { EvaluateOptions, Sequences } from './tape.ts';
export { fit } from './fit.ts';
export { checkMonitoring } from './fit-options.ts';
export type { CheckpointOptions, FitOptions, FitResult, RunStart } from './fit-options.ts';
export type { Weights } from './run-state.ts';
export type { EpochRecord, StepRecord } from './history.ts';
export * from './losses/index.ts';
export { accuracy, type Metric } from './metrics.ts';
export { adamw, type AdamwOptions, type ParameterGroup } from './adamw.ts';
export { adamwStep, clippingFactor } from './adamw-step.ts';
export { constantRate, plateau, warmUpCosine, warmUpLinear } from './schedule.ts';
export type { PlateauOptions, RateSchedule, ScheduleState, WarmUpOptions } from './schedule.ts';
export type { EmaOptions } from './ema.ts';
export { drawMasks, forTraining, type DropoutMask, type TrainingGraph } from './for-training.ts';
export { forStreaming } from '../signal/index.ts';
export { lossCurve, type CurveOptions } from './curve.ts';
export { terminalProgress, type TrainingProgress } from './progress.ts';
export { cpu, type CpuOptions } from './cpu/cpu.ts';
export { gpuTraining, type GpuTraining, type GpuTrainingOptions } from './gpu/gpu-training.ts';
export { withFallback } from './with-fallback.ts';
export { referenceTraining, type ReferenceTrainingOptions } from './reference.ts';
export * from './data/index.ts';
export type { Loss, LossCall, LossOutput } from './loss.ts';
export type { Optimizer, ParameterSettings } from './optimizer.ts';
export type {
  Batch,
  BatchGradients,
  Evaluation,
  SessionState,
  StepReport,
  TrainingBackend,
  TrainingJob,
  TrainingSession,
} from './session.ts';
