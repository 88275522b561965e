import { ArgumentError } from '../../errors.ts';
import { add, mul, neg, relu, sigmoid, silu, sub, tanh } from '../../ops/index.ts';
import type { Layer, Shape, Signal } from '../../signal/index.ts';
import { ConfigReader } from '../config.ts';
import type { Config, ModelFormat } from '../format.ts';
import { namLstm, namLstmLayout } from '../nam-lstm.ts';
import { namWavenet, namWavenetLayout, type NamLayerArray } from '../nam-wavenet.ts';

/** The architecture of a capture, not yet built: what its flat list of weights holds is known before. */
export interface NamArchitecture {
  /** Names and shapes in the file's order; a name that the model does not have is read and left out. */
  readonly layout: readonly (readonly [name: string, shape: Shape])[];
  build(): Layer;
}

/** What the captures' core calls its activations. */
const activations: Readonly<Record<string, (x: Signal) => Signal>> = {
  Tanh: tanh,
  ReLU: relu,
  Sigmoid: sigmoid,
  SiLU: silu,
  LeakyReLU: (x) => sub(relu(x), mul(relu(neg(x)), 0.01)),
  Hardtanh: (x) => sub(sub(relu(add(x, 1)), relu(sub(x, 1))), 1),
};

/** Beyond this many blocks no capture runs in real time, and a configuration is more likely to lie. */
const MOST_BLOCKS = 1000;
/** Frames between two taps; captures have up to a few thousand, and each frame is memory. */
const MOST_DILATION = 65_536;

/**
 * A capture's configuration, as its file has it around: `architecture` (`WaveNet` or `LSTM`), `config`, and
 * `sample_rate` (Hz, or null).
 *
 * @throws ArgumentError naming the key, the value and the cure.
 */
export function namArchitecture(capture: Config): NamArchitecture {
  const read = new ConfigReader('nam', capture);
  const build = read.choice('architecture', { WaveNet: wavenet, LSTM: lstm });
  const sampleRate = read.positive('sample_rate');
  read.ignore('config');
  read.done();
  return build(record(capture['config'], 'nam: config "config"'), sampleRate);
}

/** Captures of Neural Amp Modeler, also as `saveModel` writes them; see `models/nam.ts` for the files themselves. */
export const namFormat: ModelFormat = {
  name: 'nam',
  description: 'a capture of Neural Amp Modeler: WaveNet or LSTM',
  source: 'sdatkinson/NeuralAmpModelerCore',
  build: (config) => namArchitecture(config).build(),
};

function lstm(config: Config, sampleRate: number | undefined): NamArchitecture {
  const read = new ConfigReader('nam LSTM', config);
  const hidden = read.integer('hidden_size', { least: 1 });
  const layers = read.integer('num_layers', { least: 1 });
  if (layers > MOST_BLOCKS) refuse('nam LSTM: config "num_layers"', layers, `give at most ${MOST_BLOCKS}`);
  read.only('input_size', 1, 'captures have one channel');
  read.ignore('train_burn_in', 'train_truncate');
  read.done();
  const options = { hidden, layers, sampleRate };
  return { layout: [...namLstmLayout(options)], build: () => namLstm(options) };
}

function wavenet(config: Config, sampleRate: number | undefined): NamArchitecture {
  const read = new ConfigReader('nam WaveNet', config);
  read.ignore('layers');
  // The last of the weights is the one that counts.
  read.ignore('head_scale');
  read.only('head', null, 'a head behind the last array is not supported');
  read.only('condition_dsp', null, 'a model that makes the condition is not supported');
  read.only('in_channels', 1, 'captures have one channel');
  read.done();
  const arrays = list(config['layers'], 'nam WaveNet: config "layers"').map((value, a) => {
    const where = `nam WaveNet: layers[${a}]`;
    return layerArray(record(value, where), where);
  });
  checkChannels(config, arrays);
  const some = arrays as [NamLayerArray, ...NamLayerArray[]];
  return {
    layout: [...namWavenetLayout(some)],
    build: () => namWavenet({ arrays: some, sampleRate }),
  };
}

function layerArray(config: Config, where: string): NamLayerArray {
  const read = new ConfigReader(where, config);
  const channels = read.integer('channels', { least: 1 });
  const kernelSize = read.integer('kernel_size', { least: 1 });
  const dilations = list(config['dilations'], `${where}: config "dilations"`).map((value, b) =>
    dilationOf(value, `${where}: config "dilations"[${b}]`),
  );
  const activation = read.choice('activation', activations);
  const gated =
    config['gating_mode'] === undefined
      ? read.boolean('gated', false)
      : read.choice('gating_mode', { gated: true, none: false });
  const head =
    config['head'] === undefined || config['head'] === null
      ? {
          channels: read.integer('head_size', { least: 1 }),
          kernelSize: 1,
          bias: read.boolean('head_bias', false),
        }
      : headOf(record(config['head'], `${where}: config "head"`), `${where}: head`);
  read.ignore('input_size', 'dilations', 'head', 'head_size', 'head_bias', 'gated', 'gating_mode');
  // What later versions can, where it is switched off.
  read.only('condition_size', 1, 'the condition is the input');
  read.only('bottleneck', channels, 'a bottleneck is not supported');
  for (const key of ['groups_input', 'groups_input_mixin'])
    read.only(key, 1, 'grouped convolutions are not supported');
  for (const key of ['conv', 'input_mixin', 'activation'])
    for (const side of ['pre', 'post']) read.only(`${key}_${side}_film`, false, 'FiLM is not supported');
  for (const key of ['layer1x1_post_film', 'head1x1_post_film'])
    read.only(key, false, 'FiLM is not supported');
  read.only('secondary_activation', config['gating_mode'] === 'gated' ? 'Sigmoid' : null, 'the gate is σ');
  for (const [key, off] of [
    ['layer1x1', { active: true, groups: 1 }],
    ['head1x1', { active: false }],
  ] as const) {
    const inner = new ConfigReader(
      `${where}: ${key}`,
      record(config[key] ?? off, `${where}: config "${key}"`),
    );
    inner.only('active', off.active, 'other forms are not supported');
    if (key === 'layer1x1') inner.only('groups', 1, 'grouped convolutions are not supported');
    else inner.ignore('out_channels', 'groups');
    inner.done();
    read.ignore(key);
  }
  read.done();
  return { channels, kernelSize, dilations, activation, gated, head };
}

function headOf(config: Config, where: string): NamLayerArray['head'] {
  const read = new ConfigReader(where, config);
  const head = {
    channels: read.integer('out_channels', { least: 1 }),
    kernelSize: read.integer('kernel_size', { least: 1 }),
    bias: read.boolean('bias', false),
  };
  read.done();
  return head;
}

/** Each array takes what the one before gives; the first takes the input, the last gives the output. */
function checkChannels(config: Config, arrays: readonly NamLayerArray[]): void {
  const blocks = arrays.reduce((sum, { dilations }) => sum + dilations.length, 0);
  if (blocks > MOST_BLOCKS)
    refuse('nam WaveNet: the number of dilations', blocks, `give at most ${MOST_BLOCKS}`);
  let [inputs, head] = [1, arrays[0]!.channels];
  for (const [a, array] of arrays.entries()) {
    const where = `nam WaveNet: layers[${a}]: config`;
    const stated = (config['layers'] as readonly Config[])[a]!['input_size'];
    if (stated !== inputs)
      refuse(`${where} "input_size"`, stated, `it has to be ${inputs}, what comes before it`);
    if (array.channels !== head)
      refuse(
        `${where} "channels"`,
        array.channels,
        `it has to be ${head}, the head_size of the array before`,
      );
    [inputs, head] = [array.channels, array.head.channels];
  }
  if (head !== 1)
    refuse(
      `nam WaveNet: layers[${arrays.length - 1}]: config "head_size"`,
      head,
      'the last has to be 1, the output',
    );
}

function record(value: unknown, where: string): Config {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(where, value, 'give an object');
  return value as Config;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) refuse(where, value, 'give a list of at least one');
  return value as readonly unknown[];
}

function dilationOf(value: unknown, where: string): number {
  if (!(Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MOST_DILATION))
    refuse(where, value, `give a whole number from 1 to ${MOST_DILATION}`);
  return value as number;
}

function refuse(where: string, value: unknown, cure: string): never {
  throw new ArgumentError(`${where} is ${JSON.stringify(value)?.slice(0, 60) ?? 'missing'}; ${cure}`);
}
