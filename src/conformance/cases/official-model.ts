import { takeParameters } from '../../checkpoint/index.ts';
import { modelOf } from '../../models/index.ts';
import { traceModel, type Model } from '../../signal/index.ts';
import type { Config } from '../../models/index.ts';
import type { Run } from '../case.ts';
import type { Golden } from '../golden.ts';

const PREFIX = 'param.';

/** The parameters `param.*` of a golden file: all that the model has, and nothing else. */
export function officialParameters(golden: Golden, model: Model): Map<string, Float64Array> {
  const expected = new Map([...traceModel(model).parameters].map(([name, { shape }]) => [name, shape]));
  return takeParameters(golden.checkpoint, expected, { prefix: PREFIX });
}

/**
 * A golden file of a registered checkpoint format, run from `input` to `output`.
 *
 * @throws as `modelOf`.
 */
export function formatRun(golden: Golden, format: string, config: Config = golden.config): Run {
  const own = [...golden.checkpoint.tensors].filter(([name]) => name.startsWith(PREFIX));
  const tensors = new Map(own.map(([name, tensor]) => [name.slice(PREFIX.length), tensor]));
  const { model, parameters } = modelOf({ ...golden.checkpoint, tensors }, { format, config });
  return { model, parameters, inputs: { input: 'input' }, outputs: { output: 'output' } };
}
