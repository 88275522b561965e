import type { Layer, Model, Shape } from '../signal/index.ts';

/** An architecture's configuration as a checkpoint's metadata holds it: plain JSON. */
export type Config = Readonly<Record<string, unknown>>;

/** How checkpoints of one architecture are read: from its configuration to a model. One object a file. */
export interface ModelFormat {
  /** What the metadata's `format` and `--format` say. */
  readonly name: string;
  readonly description: string;
  /** The official code whose checkpoints these are. */
  readonly source: string;
  /**
   * The model of a configuration.
   *
   * @param shapes of the checkpoint's tensors by the model's names, for architectures whose sizes only the weights
   *   know (pruned networks).
   * @throws ArgumentError naming the key, the value and the cure for a configuration that is wrong.
   * @throws GraphError for one that is right, but whose model does not exist here yet.
   */
  build(config: Config, shapes?: ReadonlyMap<string, Shape>): Model;
  /**
   * The model's name of a checkpoint's tensor, where they differ; undefined for a tensor that is no parameter
   * (a buffer, a counter) and is left out. Absent: the names are the same.
   */
  nameMap?(name: string): string | undefined;
  /**
   * The model as raw recordings need it, where the official code prepares a clip before the network sees it
   * (a level, a filter). `denoise` runs this one.
   */
  onRecordings?(model: Layer): Layer;
}
