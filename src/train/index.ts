export { evaluate } from './evaluate.ts';
export { gradient, type Gradients } from './gradient.ts';
export type { EvaluateOptions, Sequences } from './tape.ts';
