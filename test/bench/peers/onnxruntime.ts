import { Unavailable } from '../contest.ts';
import { loadPeer } from './load.ts';

/** What is used of onnxruntime-node. */
export interface OrtTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}
export interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}
interface Ort {
  readonly env: { readonly versions: { readonly node?: string; readonly common: string } };
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
}

export interface OnnxRuntime {
  /** `onnxruntime-node 1.…` */
  readonly name: string;
  session(model: string | Uint8Array): Promise<OrtSession>;
  tensor(data: Float32Array, dims: readonly number[]): OrtTensor;
}

/** onnxruntime-node on one thread with all graph optimisations. @throws Unavailable where it does not load. */
export async function onnxRuntime(): Promise<OnnxRuntime> {
  const module = await loadPeer<Ort & { readonly default?: Ort }>('onnxruntime-node');
  const { InferenceSession, Tensor, env } = module.default ?? module;
  return {
    name: `onnxruntime-node ${env.versions.node ?? env.versions.common}`,
    async session(model) {
      try {
        return await InferenceSession.create(model, {
          intraOpNumThreads: 1,
          interOpNumThreads: 1,
          executionMode: 'sequential',
          graphOptimizationLevel: 'all',
          logSeverityLevel: 3,
        });
      } catch (cause) {
        throw new Unavailable(`onnxruntime refuses the model: ${(cause as Error).message}`, { cause });
      }
    },
    tensor: (data, dims) => new Tensor('float32', data, dims),
  };
}
