import { takeParameters } from '../../checkpoint/index.ts';
import { modelFor } from '../../models/index.ts';
import { traceModel, type Model } from '../../signal/index.ts';
import type { Config } from '../../models/index.ts';
import type { Run } from '../case.ts';
import type { Golden } from '../golden.ts';

/** The parameters `param.*` of a golden file: all that the model has, and nothing else. */
export function officialParameters(golden: Golden, model: Model): Map<string, Float64Array> {
  const expected = new Map([...traceModel(model).parameters].map(([name, { shape }]) => [name, shape]));
  return takeParameters(golden.checkpoint, expected, { prefix: 'param.' });
}

/**
 * A golden file of a registered checkpoint format, run from `input` to `output`.
 *
 * @throws as `ModelFormat.build` and `takeParameters`.
 */
export function formatRun(golden: Golden, format: string, config: Config = golden.config): Run {
  const model = modelFor(format, config);
  return {
    model,
    parameters: officialParameters(golden, model),
    inputs: { input: 'input' },
    outputs: { output: 'output' },
  };
}
