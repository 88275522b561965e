/** Training: `statewave/train`. Whoever only streams loads none of it. */
export { cpu, type CpuOptions } from './cpu/cpu.ts';
export { evaluate } from './evaluate.ts';
export { gradient, type Gradients } from './gradient.ts';
export type { EvaluateOptions, Sequences } from './tape.ts';
export type { BatchSource } from './data/source.ts';
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
