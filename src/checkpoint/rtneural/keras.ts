import { FormatError } from '../../errors.ts';
import { activations, type Activation, type RtneuralFile, type RtneuralLayer } from './layers.ts';
import { numbers, refuseIn, reorder, shapeOf, show, transpose, type Refuse } from './numbers.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One layer of the file as it stands there. */
interface Found {
  readonly fields: Fields;
  readonly place: string;
  readonly inputs: number;
  /** What the layer's `shape` says. */
  readonly outputs: number;
  readonly weights: readonly unknown[];
  readonly refuse: Refuse;
}

/**
 * RTNeural's own format: `in_shape` and a list of `layers`, each with `type`, `shape`, `weights` (as Keras'
 * `get_weights()` gives them) and an `activation` that follows it.
 *
 * | type | weights, Keras' orientation |
 * | --- | --- |
 * | `dense`, `time-distributed-dense` | (inputs × outputs), (outputs) |
 * | `conv1d` | (taps × inputs / groups × outputs), (outputs); fields `kernel_size`, `dilation`, `groups` |
 * | `lstm` | (inputs × 4H), (H × 4H), (4H): i, f, g, o |
 * | `gru` | (inputs × 3H), (H × 3H), (2 × 3H) or, resetting before the product, (3H): z, r, n |
 * | `prelu` | ((outputs)) |
 * | `batchnorm` | γ, β, mean, variance, or the last two; field `epsilon` |
 * | `activation` | none |
 */
export function fromKerasLayout(source: string, root: Fields): RtneuralFile {
  const refuseFile = refuseIn(source, 'the model');
  const features = lastOf(root['in_shape'], 'in_shape', refuseFile);
  const { layers: list } = root;
  if (!Array.isArray(list) || list.length === 0)
    refuseFile(`layers is ${show(list)}; it has to be a list of layers`);
  for (const key of ['in_skip', 'in_gain', 'out_gain']) {
    if (root[key] !== undefined && root[key] !== 0)
      refuseFile(`${key} is ${show(root[key])}; leave it out of the file and apply it around the model`);
  }
  const layers: RtneuralLayer[] = [];
  let inputs = features;
  (list as unknown[]).forEach((value, i) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      refuseIn(
        source,
        `layer ${i}`,
      )(`it is ${show(value)}; a layer is an object with type, shape and weights`);
    const fields = value as Fields;
    const place = `layer ${i} (${typeof fields['type'] === 'string' ? fields['type'] : show(fields['type'])})`;
    const refuse = refuseIn(source, place);
    const outputs = lastOf(fields['shape'], 'shape', refuse);
    const weights = fields['weights'] ?? [];
    if (!Array.isArray(weights)) refuse(`weights is ${show(weights)}; it has to be a list of arrays`);
    const found = { fields, place, inputs, outputs, weights: weights as unknown[], refuse };
    layers.push(...readLayer(found));
    inputs = outputs;
  });
  return { source, features, layers, sampleRate: sampleRateOf(root['samplerate'], refuseFile) };
}

/** A layer, and the activation behind it. */
function readLayer(found: Found): RtneuralLayer[] {
  const { fields, refuse } = found;
  switch (fields['type']) {
    case 'dense':
    case 'time-distributed-dense':
      return [dense(found), ...activationBehind(found)];
    case 'conv1d':
      return [conv1d(found), ...activationBehind(found)];
    case 'lstm':
    case 'gru':
      return [recurrent(found, fields['type'])];
    case 'prelu':
      return [prelu(found)];
    case 'batchnorm':
      return [batchNorm(found)];
    case 'activation': {
      sameWidth(found);
      const behind = activationBehind(found);
      return behind.length > 0
        ? behind
        : refuse(`activation is "", which does nothing; say which of ${activations.join(', ')}`);
    }
    default:
      return refuse(
        'this type is not supported; build the model of dense, conv1d, lstm, gru, prelu, batchnorm and activation layers',
      );
  }
}

function dense({ place, inputs, outputs, weights, refuse }: Found): RtneuralLayer {
  agree(weights[0], 1, outputs, 'units', 1, refuse);
  const kernel = numbers(weights[0], [inputs, outputs], 'the kernel', refuse);
  const weight = transpose(kernel, inputs, outputs);
  return { type: 'dense', place, inputs, outputs, weight, bias: biasOf(weights[1], outputs, refuse) };
}

function conv1d({ fields, place, inputs, outputs, weights, refuse }: Found): RtneuralLayer {
  const taps = lastOf(fields['kernel_size'], 'kernel_size', refuse);
  const dilation = lastOf(fields['dilation'] ?? 1, 'dilation', refuse);
  const groups = lastOf(fields['groups'] ?? 1, 'groups', refuse);
  for (const key of ['strides', 'stride']) {
    if (fields[key] !== undefined && lastOf(fields[key], key, refuse) !== 1)
      refuse(`${key} is ${show(fields[key])}; only convolutions of stride 1 are supported`);
  }
  if (inputs % groups !== 0 || outputs % groups !== 0)
    refuse(
      `${inputs} channels to ${outputs} do not divide into ${groups} groups; give a number that divides both`,
    );
  const perGroup = inputs / groups;
  agree(weights[0], 2, outputs, 'channels', 1, refuse);
  const kernel = numbers(weights[0], [taps, perGroup, outputs], 'the kernel', refuse);
  const weight = new Float64Array(kernel.length);
  for (let k = 0; k < taps; k++)
    for (let i = 0; i < perGroup; i++)
      for (let o = 0; o < outputs; o++)
        weight[(o * perGroup + i) * taps + k] = kernel[(k * perGroup + i) * outputs + o];
  const bias = biasOf(weights[1], outputs, refuse);
  return { type: 'conv1d', place, inputs, outputs, taps, dilation, groups, weight, bias };
}

function recurrent(found: Found, type: 'lstm' | 'gru'): RtneuralLayer {
  const { fields, place, inputs, outputs, weights, refuse } = found;
  const activation = fields['activation'] ?? '';
  if (activation !== '' && activation !== 'tanh')
    refuse(`activation is ${show(activation)}; only tanh, which is part of the cell, is supported`);
  const gates = type === 'lstm' ? 4 : 3;
  const rows = gates * outputs;
  agree(weights[0], 1, outputs, 'units', gates, refuse);
  // Keras has z before r.
  const order = type === 'lstm' ? [0, 1, 2, 3] : [1, 0, 2];
  const matrix = (index: number, columns: number, what: string): Float64Array =>
    reorder(transpose(numbers(weights[index], [columns, rows], what, refuse), columns, rows), order);
  const weightIh = matrix(0, inputs, 'the kernel');
  const weightHh = matrix(1, outputs, 'the recurrent kernel');
  const common = { type, place, inputs, outputs, weightIh, weightHh } as const;
  const bias = weights[2];
  if (bias === undefined) return { ...common, reset: 'after' };
  if (type === 'gru' && shapeOf(bias).length === 2) {
    const both = numbers(bias, [2, rows], 'the bias', refuse);
    const biasIh = reorder(both.subarray(0, rows), order);
    return { ...common, biasIh, biasHh: reorder(both.subarray(rows), order), reset: 'after' };
  }
  // One bias means a GRU that resets before the product (reset_after=False).
  const biasIh = reorder(numbers(bias, [rows], 'the bias', refuse), order);
  return { ...common, biasIh, reset: type === 'gru' ? 'before' : 'after' };
}

function prelu(found: Found): RtneuralLayer {
  const { place, inputs, outputs, weights, refuse } = found;
  sameWidth(found);
  const count = shapeOf(weights[0]).at(-1) === 1 ? 1 : outputs;
  const slope = numbers(weights[0], [1, count], 'the slope', refuse);
  return { type: 'prelu', place, inputs, outputs, slope };
}

function batchNorm(found: Found): RtneuralLayer {
  const { fields, place, inputs, outputs, weights, refuse } = found;
  sameWidth(found);
  const { epsilon } = fields;
  if (typeof epsilon !== 'number' || !(epsilon >= 0))
    refuse(`epsilon is ${show(epsilon)}; give a number, 0 or more`);
  if (weights.length !== 2 && weights.length !== 4)
    refuse(`it has ${weights.length} arrays; give gamma, beta, mean and variance, or the last two`);
  const vector = (index: number, what: string): Float64Array =>
    numbers(weights.at(index), [outputs], what, refuse);
  const affine = weights.length === 4;
  return {
    type: 'batchnorm',
    place,
    inputs,
    outputs,
    epsilon: epsilon as number,
    weight: affine ? vector(0, 'gamma') : undefined,
    bias: affine ? vector(1, 'beta') : undefined,
    mean: vector(-2, 'the mean'),
    variance: vector(-1, 'the variance'),
  };
}

function activationBehind({ fields, place, outputs, refuse }: Found): RtneuralLayer[] {
  const name = fields['activation'] ?? '';
  if (name === '') return [];
  if (!(activations as readonly unknown[]).includes(name))
    refuse(`activation ${show(name)} is unknown; use one of ${activations.join(', ')}`);
  return [{ type: 'activation', place, inputs: outputs, outputs, name: name as Activation }];
}

const biasOf = (bias: unknown, outputs: number, refuse: Refuse): Float64Array | undefined =>
  bias === undefined ? undefined : numbers(bias, [outputs], 'the bias', refuse);

function sameWidth({ inputs, outputs, refuse }: Found): void {
  if (inputs !== outputs) refuse(`its shape says ${outputs}, but ${inputs} come in; correct the shape`);
}

/** A layer's `shape` and its weights tell the same size; where they do not, which is right nobody knows. */
function agree(
  weights: unknown,
  axis: number,
  outputs: number,
  what: string,
  gates: number,
  refuse: Refuse,
): void {
  const columns = shapeOf(weights)[axis];
  if (columns === undefined || columns === gates * outputs) return;
  const found = columns % gates === 0 ? `${columns / gates} ${what}` : `${columns} columns`;
  refuse(
    `its shape says ${outputs} ${what}, its weights hold ${found} (${gates === 1 ? '' : `${gates} gates, `}${columns} columns); ` +
      'correct the shape, or export the model again',
  );
}

/** A size: a whole number, or the last of a list such as `[null, null, 16]`. */
function lastOf(value: unknown, what: string, refuse: Refuse): number {
  // Four axes are (batch, time, features, filters): a model of pictures.
  if (Array.isArray(value) && value.length > 3)
    refuse(`${what} has ${value.length} axes; only sequences of rows are supported`);
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  if (!(Number.isSafeInteger(last) && (last as number) >= 1))
    refuse(
      `${what} is ${Array.isArray(value) ? JSON.stringify(value).slice(0, 60) : show(value)}; it has to end in a whole number of at least 1`,
    );
  return last as number;
}

/** AIDA-X and its kin write the rate as a text. */
function sampleRateOf(value: unknown, refuse: Refuse): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const rate = Number(value);
  if (!(rate > 0 && rate < Infinity)) refuse(`samplerate is ${show(value)}; give hertz, or leave it out`);
  return rate;
}

/** True for a file in this layout. */
export function isKerasLayout(root: unknown): root is Fields {
  return typeof root === 'object' && root !== null && ('layers' in root || 'in_shape' in root);
}

export const notAModel = (source: string, root: unknown): never => {
  throw new FormatError(
    `${source}: it is ${show(root)}; an RTNeural model is an object with in_shape and layers, or torch's state_dict`,
  );
};
