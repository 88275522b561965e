import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Unavailable } from '../contest.ts';
import { loadPeer } from './load.ts';

/** What is used of @tensorflow/tfjs. */
export interface TfTensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
  dispose(): void;
}
export interface Tf {
  readonly version: { readonly tfjs: string };
  setBackend(name: string): Promise<boolean>;
  enableProdMode(): void;
  ready(): Promise<void>;
  tensor(values: Float32Array, shape: readonly number[]): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
  concat(parts: readonly TfTensor[], axis: number): TfTensor;
  split(value: TfTensor, sizes: readonly number[] | number, axis: number): TfTensor[];
  transpose(value: TfTensor, perm: readonly number[]): TfTensor;
  reshape(value: TfTensor, shape: readonly number[]): TfTensor;
  tidy<T>(run: () => T): T;
}

export type TfBackend = 'cpu' | 'wasm';

/**
 * @tensorflow/tfjs on its JavaScript or its WebAssembly backend; there is one backend at a time in a process, so a
 * contender says which before every turn.
 *
 * @throws Unavailable where it does not load.
 */
export async function tensorflow(backend: TfBackend): Promise<Tf> {
  const before = new Set(process.listeners('uncaughtException'));
  const rejections = new Set(process.listeners('unhandledRejection'));
  const { default: tf } = await loadPeer<{ readonly default: Tf }>('@tensorflow/tfjs');
  // No advice on other backends, no checks of values.
  tf.enableProdMode();
  if (backend === 'wasm') {
    const name = '@tensorflow/tfjs-backend-wasm';
    const wasm = await loadPeer<{ setWasmPaths(folder: string): void }>(name);
    wasm.setWasmPaths(`${dirname(createRequire(import.meta.url).resolve(name))}/`);
  }
  if (!(await tf.setBackend(backend)))
    throw new Unavailable(`@tensorflow/tfjs has no backend ${backend} here`);
  await tf.ready();
  // Its WebAssembly takes over the process's handlers and would print a page of code for any error of ours.
  for (const handler of process.listeners('uncaughtException')) {
    if (!before.has(handler)) process.off('uncaughtException', handler);
  }
  for (const handler of process.listeners('unhandledRejection')) {
    if (!rejections.has(handler)) process.off('unhandledRejection', handler);
  }
  return tf;
}
