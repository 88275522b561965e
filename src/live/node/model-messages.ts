import type { ResampleQuality } from '../../audio/resample.ts';
import type { Model, Precision } from '../../signal/index.ts';
import type { Parameters } from '../../stream/index.ts';
import type { RingMemory } from '../ring-buffer.ts';

/** What a module that knows the model exports as `default`, or under the name that was said. */
export type ModelFactory = (options: never) => Promise<LiveModel> | LiveModel;

export interface LiveModel {
  readonly model: Model;
  readonly parameters: Parameters;
}

/** Models are functions and can't be posted: the thread imports a module and calls it. */
export interface ModelModule {
  /** The module's URL. */
  readonly module: string;
  /** The factory's name; `default` by default. */
  readonly factory?: string;
  /** Given to the factory: whatever can be cloned. */
  readonly options: unknown;
}

/** What the thread is started with. */
export interface ModelJob extends ModelModule {
  readonly contextRate: number;
  readonly channels: number;
  /** The most frames at a time. */
  readonly maxFrames: number;
  /** Run at the model's own rate, between resamplers; otherwise at the context's. */
  readonly resample: boolean;
  readonly quality?: ResampleQuality | undefined;
  readonly precision?: Precision | undefined;
  readonly gauges: SharedArrayBuffer;
}

/** What is known once the model stands. */
export interface ModelInfo {
  readonly model: string;
  readonly modelRate: number;
  readonly outputChannels: number;
  /** Frames at the context's rate: of the model and its resamplers. */
  readonly latency: number;
  /** The model's own part, frames at its rate. */
  readonly modelLatency: number;
}

/** Where the frames come from and go to. */
export interface ModelRings {
  readonly input: RingMemory;
  readonly outputs: readonly RingMemory[];
}

export type FromModel =
  | { readonly kind: 'ready'; readonly info: ModelInfo }
  | { readonly kind: 'done' }
  | {
      readonly kind: 'error';
      readonly name: string;
      readonly message: string;
      readonly stack?: string | undefined;
    };
