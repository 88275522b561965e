import { nearestName } from '../similar-name.ts';
import { listSome, quote } from '../message.ts';
import { activations, type Activation, type RtneuralFile, type RtneuralLayer } from './layers.ts';
import { numbers, refuseIn, shapeOf, show, type Refuse } from './numbers.ts';

/** What a state_dict does not say about a module. */
export interface TorchModule {
  /** Of a convolution; 1 by default. */
  readonly dilation?: number;
  /** Of a convolution; 1 by default. */
  readonly groups?: number;
  /** Of a batch normalisation; 1e-5 by default. */
  readonly epsilon?: number;
  /** What follows the module; nothing by default. */
  readonly activation?: Activation;
}

type Tensors = Map<string, unknown>;

/**
 * A torch `state_dict` written as JSON: tensors by name, as nested lists. Modules follow each other in the file's
 * order; what they are is told by their tensors.
 *
 * | module | tensors |
 * | --- | --- |
 * | Linear | `weight` (outputs × inputs), `bias` |
 * | Conv1d, causal as RTNeural runs it | `weight` (outputs × inputs / groups × taps), `bias` |
 * | LSTM, GRU | `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, … |
 * | PReLU | `weight` (channels) |
 * | BatchNorm1d | `running_mean`, `running_var`, `weight`, `bias` |
 *
 * @param modules what the file does not say, by the module's name; `''` for tensors without one.
 */
export function fromStateDict(
  source: string,
  root: Readonly<Record<string, unknown>>,
  modules: Readonly<Record<string, TorchModule>>,
): RtneuralFile {
  const groups = new Map<string, Tensors>();
  for (const [key, value] of Object.entries(root)) {
    const dot = key.lastIndexOf('.');
    const module = dot < 0 ? '' : key.slice(0, dot);
    if (!groups.has(module)) groups.set(module, new Map());
    groups.get(module)!.set(key.slice(dot + 1), value);
  }
  const stranger = Object.keys(modules).find((name) => !groups.has(name));
  if (stranger !== undefined) {
    const near = nearestName(stranger, groups.keys());
    refuseIn(
      source,
      `module ${quote(stranger)}`,
    )(
      `options are given for it, but the file holds no such module${near === undefined ? '' : `, is it ${quote(near)}?`}; it holds ${listSome([...groups.keys()].map(quote))}`,
    );
  }
  const layers: RtneuralLayer[] = [];
  for (const [name, tensors] of groups) {
    const place = name === '' ? 'the module' : `module ${quote(name)}`;
    const refuse = refuseIn(source, place);
    const found = readModule(tensors, modules[name] ?? {}, place, layers.at(-1)?.outputs, refuse);
    const before = layers.at(-1)?.outputs ?? found[0].inputs;
    if (found[0].inputs !== before)
      refuse(
        `it takes ${found[0].inputs} numbers, but ${before} come in; a state_dict must list its modules in the order in which they run`,
      );
    layers.push(...found);
  }
  return { source, features: layers[0].inputs, layers, sampleRate: undefined };
}

function readModule(
  tensors: Tensors,
  { dilation = 1, groups = 1, epsilon = 1e-5, activation }: TorchModule,
  place: string,
  before: number | undefined,
  refuse: Refuse,
): [RtneuralLayer, ...RtneuralLayer[]] {
  const taken = new Set<string>(['num_batches_tracked']);
  const take = (name: string, shape: readonly number[]): Float64Array => {
    taken.add(name);
    if (!tensors.has(name)) refuse(`${name} is missing; export the whole state_dict`);
    return numbers(tensors.get(name), shape, name, refuse);
  };
  const optional = (name: string, shape: readonly number[]): Float64Array | undefined =>
    tensors.has(name) ? take(name, shape) : undefined;
  const layers = ((): [RtneuralLayer, ...RtneuralLayer[]] => {
    if (tensors.has('weight_ih_l0')) return recurrent(tensors, take, optional, place, refuse);
    if (tensors.has('running_mean')) {
      const [count = 0] = shapeOf(tensors.get('running_mean'));
      return [
        {
          type: 'batchnorm',
          place,
          inputs: count,
          outputs: count,
          epsilon,
          weight: optional('weight', [count]),
          bias: optional('bias', [count]),
          mean: take('running_mean', [count]),
          variance: take('running_var', [count]),
        },
      ];
    }
    const shape = shapeOf(tensors.get('weight'));
    const [outputs = 0, inputs = 0, taps = 0] = shape;
    if (shape.length === 2) {
      const weight = take('weight', shape);
      return [{ type: 'dense', place, inputs, outputs, weight, bias: optional('bias', [outputs]) }];
    }
    if (shape.length === 3) {
      for (const [key, value] of Object.entries({ dilation, groups }))
        if (!(Number.isSafeInteger(value) && value >= 1))
          refuse(`${key} is ${value}; give a whole number of at least 1`);
      if (outputs % groups !== 0)
        refuse(`${outputs} channels do not divide into ${groups} groups; give a number that divides them`);
      const weight = take('weight', shape);
      const bias = optional('bias', [outputs]);
      return [
        { type: 'conv1d', place, inputs: inputs * groups, outputs, taps, dilation, groups, weight, bias },
      ];
    }
    if (shape.length === 1) {
      const width = outputs === 1 ? (before ?? 1) : outputs;
      return [{ type: 'prelu', place, inputs: width, outputs: width, slope: take('weight', shape) }];
    }
    return refuse(
      `it holds ${listSome([...tensors].map(([name, value]) => `${name} ${show(value)}`))}, which is no Linear, Conv1d, LSTM, GRU, PReLU or BatchNorm1d; export those alone`,
    );
  })();
  const left = [...tensors.keys()].filter((name) => !taken.has(name));
  if (left.length > 0) {
    refuse(
      `${listSome(left.map(quote))} is not expected${left.some((name) => name.endsWith('_reverse')) ? ': a second direction needs the whole input; use a causal model' : '; remove it'}`,
    );
  }
  if (activation === undefined) return layers;
  if (!activations.includes(activation))
    refuse(`activation ${show(activation)} is unknown; use one of ${activations.join(', ')}`);
  const width = layers.at(-1)!.outputs;
  return [...layers, { type: 'activation', place, inputs: width, outputs: width, name: activation }];
}

function recurrent(
  tensors: Tensors,
  take: (name: string, shape: readonly number[]) => Float64Array,
  optional: (name: string, shape: readonly number[]) => Float64Array | undefined,
  place: string,
  refuse: Refuse,
): [RtneuralLayer, ...RtneuralLayer[]] {
  const [rows = 0, features = 0] = shapeOf(tensors.get('weight_ih_l0'));
  const [, units = 0] = shapeOf(tensors.get('weight_hh_l0'));
  const gates = rows / units;
  if (gates !== 3 && gates !== 4)
    refuse(`weight_ih_l0 has ${rows} rows for ${units} units; it has to be 4 a unit (LSTM) or 3 (GRU)`);
  const layers: RtneuralLayer[] = [];
  for (let l = 0; tensors.has(`weight_ih_l${l}`); l++) {
    const inputs = l === 0 ? features : units;
    layers.push({
      type: gates === 4 ? 'lstm' : 'gru',
      place,
      inputs,
      outputs: units,
      weightIh: take(`weight_ih_l${l}`, [rows, inputs]),
      weightHh: take(`weight_hh_l${l}`, [rows, units]),
      biasIh: optional(`bias_ih_l${l}`, [rows]),
      biasHh: optional(`bias_hh_l${l}`, [rows]),
      reset: 'after',
    });
  }
  return layers as [RtneuralLayer, ...RtneuralLayer[]];
}
