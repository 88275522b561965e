export { DTYPES, type DType, type TensorData } from './dtype.ts';
export { fromBF16Bits, fromF16Bits, toBF16Bits, toF16Bits } from './half.ts';
export type { TensorInfo } from './header.ts';
export { loadCheckpoint } from './load.ts';
export { takeParameters, type TakeOptions } from './parameters.ts';
export { readPytorch, type ReadPytorchOptions } from './pytorch/pytorch.ts';
export {
  readSafetensors,
  writeSafetensors,
  type Checkpoint,
  type MetadataInput,
  type ReadOptions,
  type WriteOptions,
} from './safetensors.ts';
export {
  loadSafetensors,
  openSafetensors,
  saveSafetensors,
  type SafetensorsFile,
} from './safetensors-file.ts';
export { tensor, toFloat32, toFloat64, type Tensor } from './tensor.ts';
export {
  loadRtneural,
  readRtneural,
  type RtneuralFile,
  type RtneuralLayer,
  type RtneuralOptions,
} from './rtneural.ts';
export { loadNam, readNam, type NamFile } from './nam.ts';
