export type { Config, ModelFormat } from './format.ts';
export { formatByName, modelFor, modelFormats } from './formats.ts';
export { loadModel, modelOf, parseConfig, type LoadedModel, type LoadOptions } from './load.ts';
export { saveModel, type SaveOptions } from './save.ts';
export { rtneural, type RtneuralModel } from './rtneural.ts';
export { loadNamModel, namModelOf } from './nam.ts';
