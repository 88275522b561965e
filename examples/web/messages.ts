/** What the page and the worklet say to each other. */
import type { Config } from 'statewave/models';
import type { SharedMemory, StateSection } from 'statewave/web';

/** The page's first words, as `processorOptions`. */
export interface WorkletOptions {
  /** Where the page shares memory; else batches are posted. */
  readonly memory: SharedMemory | undefined;
}

export type ModelName = 'denoiser' | 'digits' | 'resonator';

/** Weights as a checkpoint has them. */
export interface Weights {
  readonly format: string;
  readonly config: Config;
  /** Values by the model's names, row-major. */
  readonly parameters: ReadonlyMap<string, Float64Array>;
}

export type ToWorklet =
  | { readonly type: 'load'; readonly name: ModelName; readonly weights: Weights | undefined }
  | { readonly type: 'set'; readonly name: string; readonly value: number }
  | { readonly type: 'measure'; readonly exact: boolean }
  | { readonly type: 'stop' };

export type FromWorklet =
  | {
      readonly type: 'ready';
      readonly name: ModelName;
      /** Frames at the context's rate by which the output lags. */
      readonly latency: number;
      /** Hz at which the model itself runs. */
      readonly modelRate: number;
      readonly backend: string;
      readonly sections: readonly StateSection[];
    }
  | { readonly type: 'failed'; readonly message: string };
