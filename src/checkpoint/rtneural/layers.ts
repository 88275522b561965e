/** The layers of an RTNeural model, checked and in torch's orientation, whatever the file's was. */
interface Common {
  /** Which layer of the file this is, for messages: `layer 2 (gru)`, `module "lstm2"`. */
  readonly place: string;
  readonly inputs: number;
  readonly outputs: number;
}

export interface DenseWeights extends Common {
  readonly type: 'dense';
  readonly weight: Float64Array; // (outputs × inputs)
  readonly bias?: Float64Array | undefined; // (outputs)
}

export interface Conv1dWeights extends Common {
  readonly type: 'conv1d';
  readonly taps: number;
  readonly dilation: number;
  readonly groups: number;
  readonly weight: Float64Array; // (outputs × inputs / groups × taps), the last tap on the current frame
  readonly bias?: Float64Array | undefined; // (outputs)
}

/** One layer of cells, gates as torch has them: i, f, g, o of an LSTM, r, z, n of a GRU. */
export interface RecurrentWeights extends Common {
  readonly type: 'lstm' | 'gru';
  readonly weightIh: Float64Array; // (gates·outputs × inputs)
  readonly weightHh: Float64Array; // (gates·outputs × outputs)
  readonly biasIh?: Float64Array | undefined; // (gates·outputs)
  readonly biasHh?: Float64Array | undefined;
  /** Of a GRU: whether r applies after the product with W_hn, or before it. */
  readonly reset: 'after' | 'before';
}

export interface PreluWeights extends Common {
  readonly type: 'prelu';
  readonly slope: Float64Array; // (outputs), or (1) for all
}

export interface BatchNormWeights extends Common {
  readonly type: 'batchnorm';
  readonly epsilon: number;
  readonly weight?: Float64Array | undefined; // (outputs)
  readonly bias?: Float64Array | undefined;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

export const activations = ['tanh', 'relu', 'sigmoid', 'elu', 'softmax'] as const;
export type Activation = (typeof activations)[number];

export interface ActivationLayer extends Common {
  readonly type: 'activation';
  readonly name: Activation;
}

export type RtneuralLayer =
  DenseWeights | Conv1dWeights | RecurrentWeights | PreluWeights | BatchNormWeights | ActivationLayer;

export interface RtneuralFile {
  /** Where it came from, for messages. */
  readonly source: string;
  /** Numbers in an input frame. */
  readonly features: number;
  readonly layers: readonly RtneuralLayer[];
  /** Hz, where the file says. */
  readonly sampleRate: number | undefined;
}
