import { GraphError } from '../errors.ts';
import { torchDefault, type Random } from '../init/index.ts';
import { dense } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal } from '../signal/index.ts';

/** Configuration of the gated recurrent layers `lstm` and `gru`; the names in brackets are torch's. */
export interface RecurrentOptions {
  /** Numbers in an input frame (`input_size`). */
  readonly features: number;
  /** H: units of each layer, numbers in an output frame (`hidden_size`). */
  readonly hidden: number;
  /** Layers one above the other (`num_layers`); 1. */
  readonly layers?: number;
  /** Whether there are `bias_ih` and `bias_hh` (`bias`); true. */
  readonly bias?: boolean;
  /** Whether the states of each layer begin with parameters `h0_l0` (and `c0_l0`), (H) each, instead of zeros. */
  readonly initialState?: boolean;
  /** torch's second direction reads the future: refused. */
  readonly bidirectional?: false;
  /** Hz that the parameters are for: a stream at another rate is refused, since a gated cell counts frames. */
  readonly sampleRate?: number;
}

/** What a gated cell is made of, one layer's worth. */
export interface CellParameters {
  readonly weight: Signal;
  readonly bias: Signal | undefined;
  /** Initial states in the order that they were asked for, or none. */
  readonly initial: readonly Signal[];
}

export interface CellDefinition {
  readonly name: string;
  /** Rows of a weight for each unit. */
  readonly gates: number;
  /** Names of the states of a cell: `h`, `c`. */
  readonly states: readonly string[];
  readonly cell: (gx: Signal, parameters: CellParameters) => Signal;
}

/**
 * Cells one above the other with torch's names: `weight_ih_l0` (gates·H × features), `weight_hh_l0` (gates·H × H),
 * `bias_ih_l0`, `bias_hh_l0` (gates·H), then `…_l1`, all uniform within ±1/√H at first.
 *
 * @throws GraphError where a size is no whole number, or a second direction is asked for.
 */
export function recurrent(definition: CellDefinition, options: RecurrentOptions): Layer {
  const { name, gates, states, cell } = definition;
  const { features, hidden, layers = 1, bias = true, initialState = false, sampleRate } = options;
  for (const [key, value] of [
    ['hidden', hidden],
    ['layers', layers],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new GraphError(`${name}: ${key} is ${value}; give a whole number of at least 1`);
  }
  if ((options.bidirectional as unknown) === true) {
    throw new GraphError(
      `${name}: bidirectional is true, whose second direction needs the whole input before its first output; ` +
        `use a causal ${name} (bidirectional: false), which streams`,
    );
  }
  const uniform = (shape: Shape, random: Random): Float64Array =>
    torchDefault(new Float64Array(sizeOf(shape)), random, hidden);
  const zeros = (shape: Shape): Float64Array => new Float64Array(sizeOf(shape));
  const rows = gates * hidden;
  return defineLayer({
    name,
    features,
    sampleRate,
    apply(trace, input) {
      let x = input;
      for (let l = 0; l < layers; l++) {
        const inputs = l === 0 ? features : hidden;
        const weightIh = trace.parameter(`weight_ih_l${l}`, [rows, inputs], uniform);
        const weight = trace.parameter(`weight_hh_l${l}`, [rows, hidden], uniform);
        const biasIh = bias ? trace.parameter(`bias_ih_l${l}`, [rows], uniform) : undefined;
        const biasHh = bias ? trace.parameter(`bias_hh_l${l}`, [rows], uniform) : undefined;
        const initial = initialState
          ? states.map((state) => trace.parameter(`${state}0_l${l}`, [hidden], zeros))
          : [];
        x = cell(dense(x, weightIh, biasIh), { weight, bias: biasHh, initial });
      }
      return x;
    },
  });
}
