import { saveSafetensors } from '../../checkpoint/index.ts';
import { modelOf, type LoadedModel } from '../../models/index.ts';
import { packModel } from '../../models/save.ts';
import type { ModelOptions } from '../process/options.ts';
import { located } from '../support/located.ts';
import { readForeign } from './read-foreign.ts';

/** The command line of `import`, as commander parses it. */
export interface ImportOptions extends ModelOptions {
  readonly dtype: 'F16' | 'F32' | 'F64';
  readonly json?: boolean;
}

/** What was done: what `--json` prints. */
export interface ImportReport {
  readonly input: string;
  readonly output: string;
  readonly format: string;
  readonly config: LoadedModel['config'];
  /** Hz that the weights are for, where anybody said. */
  readonly sampleRate: number | null;
  readonly tensors: number;
  /** Numbers in all of them. */
  readonly parameters: number;
  readonly dtype: string;
}

/**
 * `statewave import`: weights as they were published become a checkpoint that needs no flags. OUT appears whole, or
 * stays as it was.
 *
 * @throws FormatError, ArgumentError, ParameterError naming what does not fit: a tensor, a shape, a key of the
 *   configuration.
 */
export async function importModel(input: string, output: string, options: ImportOptions): Promise<void> {
  const { dtype } = options;
  const { loaded, metadata } = await located(input, () => readForeign(input, options));
  const { model, parameters, format, config, sampleRate } = loaded;
  const packed = packModel(output, format, config, parameters, { model, dtype, metadata });
  // As the other verbs will read it.
  modelOf(packed);
  saveSafetensors(output, packed.tensors, packed.metadata);
  const report: ImportReport = {
    input,
    output,
    format,
    config,
    sampleRate: sampleRate ?? null,
    tensors: parameters.size,
    parameters: [...parameters.values()].reduce((sum, { length }) => sum + length, 0),
    dtype,
  };
  if (options.json === true) console.log(JSON.stringify(report, null, 2));
  else if (process.stderr.isTTY) {
    const { tensors, parameters: count } = report;
    console.error(
      `${output}: ${format}, ${count.toLocaleString('en')} parameters in ${tensors} tensors, ${dtype}`,
    );
  }
}
