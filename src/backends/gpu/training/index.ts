/** Graphs as kernels: what a training session on the device is made of. */
export { GradientBook } from './book.ts';
export { openTrainingDevice, type TrainingDevice } from './device.ts';
export { lengthText, type Clock } from './kernels.ts';
export { layOutWeights, Network, type WeightLayout } from './network.ts';
export { lackingFor } from './ops/index.ts';
export { MOST_INPUTS, Plan } from './plan.ts';
export type { DevicePipeline } from './pipeline.ts';
export { Store } from './store.ts';
export { sumRows } from './sums.ts';
export { lengthOf, type Dims, type Tensor } from './tensor.ts';
