export type { Config, ModelFormat } from './format.ts';
export { formatByName, modelFor, modelFormats } from './formats.ts';
export { generate, type GenerateOptions } from './generate.ts';
export { loadModel, modelOf, parseConfig, type LoadedModel, type LoadOptions } from './load.ts';
export { saveModel, type SaveOptions } from './save.ts';
export { rtneural, type RtneuralModel } from './rtneural.ts';
export { greedy, sampling, type Sampler, type SamplingOptions } from './sampling.ts';
export { rwkv4Lm, rwkv4Model, type Rwkv4LmOptions, type Rwkv4ModelOptions } from './rwkv4.ts';
export { loadNamModel, namModelOf } from './nam.ts';
