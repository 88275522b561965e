/**
 * statewave: state space models on live signals.
 *
 * Models (`s4d`, `lti`, …) are architectures; `initialise` or a checkpoint gives parameters; `compile` makes a
 * `Stream` of both. RxJS operators are in `statewave/operators`, whole published networks and their weights in
 * `statewave/models`, files in `statewave/audio` and `statewave/checkpoint`. Nothing here needs Node.
 */
export * from './errors.ts';
export * from './layers/index.ts';
export * from './stream/index.ts';
export { evaluate } from './train/evaluate.ts';
export { gradient, type Gradients } from './train/gradient.ts';
export type { EvaluateOptions, Sequences } from './train/tape.ts';
export * from './discretize/index.ts';
export * as filters from './filters/index.ts';
export * as init from './init/index.ts';
export * as ops from './ops/index.ts';
export {
  Schedule,
  Trace,
  defineLayer,
  sequential,
  traceModel,
  type Control,
  type ControlSpec,
  type FloatArray,
  type Graph,
  type Layer,
  type LayerDefinition,
  type Model,
  type Op,
  type Precision,
  type Shape,
  type Signal,
  type Timing,
} from './signal/index.ts';
export { defaultBackend, wasm } from './backends/wasm/index.ts';
export { reference } from './backends/reference/index.ts';
export type { StreamBackend } from './backends/backend.ts';
