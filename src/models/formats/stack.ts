import { ArgumentError } from '../../errors.ts';
import type { Layer, Model } from '../../signal/index.ts';
import { ConfigReader } from '../config.ts';
import type { Config, ModelFormat } from '../format.ts';
import { stack } from '../stack.ts';

/**
 * | key | |
 * | --- | --- |
 * | `inputs`, `outputs` | numbers of a frame |
 * | `features` | width of the blocks |
 * | `layers` | a list of `{ "format": …, "config": { … } }`, each any format of that width |
 * | `repeat` | so many times over; 1 |
 * | `norm` | `layer` (default), `rms`, `none` |
 * | `prenorm` | true: before each layer, and at the end |
 * | `activation` | behind each layer: `none` (default), `gelu`, `glu` |
 * | `dropout`, `tie_dropout` | in training alone; 0, and true |
 * | `pool` | `none` (default), or `mean` over all frames so far |
 * | `level` | true: the input is divided by its running level first; false |
 * | `sample_rate` | Hz that the weights are for |
 *
 * @param build makes the model of a layer's format.
 */
export const stackFormat = (build: (format: string, config: Config) => Model): ModelFormat => ({
  name: 'stack',
  description: 'residual blocks around any layers, between an encoder and a decoder',
  source: 'statewave',
  build(config) {
    const read = new ConfigReader('stack', config);
    const given = read.list('layers', 'a list of { "format": …, "config": { … } }');
    const repeat = read.integer('repeat', { least: 1, otherwise: 1 });
    const options = {
      inputs: read.integer('inputs', { least: 1 }),
      outputs: read.integer('outputs', { least: 1 }),
      features: read.integer('features', { least: 1 }),
      layers: Array.from({ length: repeat }, () => given.map((layer, i) => layerOf(layer, i, build))).flat(),
      norm: read.choice('norm', { layer: 'layer', rms: 'rms', none: 'none' } as const, 'layer'),
      preNorm: read.boolean('prenorm', true),
      activation: read.choice('activation', { none: 'none', gelu: 'gelu', glu: 'glu' } as const, 'none'),
      dropout: read.positive('dropout') ?? 0,
      tieDropout: read.boolean('tie_dropout', true),
      pool: read.choice('pool', { none: 'none', mean: 'mean' } as const, 'none'),
      level: read.boolean('level', false),
      sampleRate: read.positive('sample_rate'),
    };
    read.done();
    return stack(options);
  },
});

function layerOf(given: unknown, index: number, build: (format: string, config: Config) => Model): Layer {
  const { format, config = {}, ...rest } = (given ?? {}) as { format?: unknown; config?: unknown };
  const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
  if (typeof format !== 'string' || !isObject || Object.keys(rest).length > 0) {
    throw new ArgumentError(
      `stack: layer ${index} is ${JSON.stringify(given) ?? String(given)}; give { "format": "s4d", "config": { … } }`,
    );
  }
  const model = build(format, config as Config);
  if (!('apply' in model)) {
    throw new ArgumentError(
      `stack: layer ${index}, ${format}, has several inputs or outputs; use one with one of each`,
    );
  }
  return model as Layer;
}
