import { ArgumentError } from '../../errors.ts';
import { ConfigReader } from '../config.ts';
import type { Config, ModelFormat } from '../format.ts';
import { activation, rtneuralModel, type RtneuralLayers, type RtneuralStructure } from '../rtneural.ts';

/** The layers as a checkpoint's metadata hold them: plain JSON, as `rtneuralFormat` reads it. */
export const rtneuralConfig = ({ features, sampleRate, layers }: RtneuralLayers): Config => ({
  features,
  sample_rate: sampleRate ?? null,
  layers,
});

/**
 * Models of RTNeural behind a safetensors file; the JSON files themselves are read by `loadRtneural`.
 *
 * | key | |
 * | --- | --- |
 * | `features` | numbers in an input frame |
 * | `sample_rate` | Hz, or null |
 * | `layers` | a list: `type`, its sizes, and whether it has a bias; see `RtneuralStructure` |
 */
export const rtneuralFormat: ModelFormat = {
  name: 'rtneural',
  description: 'a model of RTNeural: recurrent cells, convolutions and dense layers one behind the other',
  source: 'jatinchowdhury18/RTNeural RTNeural/model_loader.h',
  build(config) {
    const read = new ConfigReader('rtneural', config);
    const features = read.integer('features', { least: 1 });
    const sampleRate = read.positive('sample_rate');
    read.ignore('layers');
    read.done();
    const { layers } = config;
    if (!Array.isArray(layers) || layers.length === 0) {
      throw new ArgumentError('rtneural: config "layers" is no list of layers; give at least one');
    }
    return rtneuralModel({
      features,
      sampleRate,
      layers: layers.map((layer: unknown, i) => structureOf(layer, `rtneural: layers[${i}]`)),
    });
  },
};

function structureOf(value: unknown, where: string): RtneuralStructure {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ArgumentError(
      `${where} is ${JSON.stringify(value)?.slice(0, 60)}; give an object with its "type"`,
    );
  }
  const read = new ConfigReader(where, value as Config);
  const size = (key: string): number => read.integer(key, { least: 1 });
  const flag = (key: string): boolean => read.boolean(key, false);
  const structure = read.choice<() => RtneuralStructure>('type', {
    dense: () => ({ type: 'dense', inputs: size('inputs'), outputs: size('outputs'), bias: flag('bias') }),
    conv1d: () => ({
      type: 'conv1d',
      inputs: size('inputs'),
      outputs: size('outputs'),
      taps: size('taps'),
      dilation: size('dilation'),
      groups: size('groups'),
      bias: flag('bias'),
    }),
    lstm: () => ({ type: 'lstm', inputs: size('inputs'), outputs: size('outputs'), bias: flag('bias') }),
    gru: () => ({
      type: 'gru',
      inputs: size('inputs'),
      outputs: size('outputs'),
      bias: flag('bias'),
      reset: read.choice('reset', { after: 'after', before: 'before' } as const),
    }),
    prelu: () => ({ type: 'prelu', slopes: size('slopes') }),
    batchnorm: () => ({
      type: 'batchnorm',
      outputs: size('outputs'),
      epsilon: read.positive('epsilon') ?? 0,
      scaled: flag('scaled'),
      shifted: flag('shifted'),
    }),
    activation: () => ({
      type: 'activation',
      name: read.choice('name', Object.fromEntries(names.map((name) => [name, name]))),
    }),
  })();
  read.done();
  return structure;
}

const names = Object.keys(activation) as (keyof typeof activation)[];
