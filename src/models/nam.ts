/**
 * Captures of Neural Amp Modeler (`.nam`) as models: the flat list of weights under names.
 *
 * Source: sdatkinson/NeuralAmpModelerCore `NAM/get_dsp.cpp`, `wavenet.cpp`, `lstm.cpp`.
 */
import { loadNam, type NamFile } from '../checkpoint/nam.ts';
import { ArgumentError, FormatError } from '../errors.ts';
import { sizeOf, traceModel } from '../signal/index.ts';
import { namArchitecture, type NamArchitecture } from './formats/nam.ts';
import type { LoadedModel, LoadOptions } from './loaded-model.ts';

/** Whether a path is one of a capture, by its ending. */
export const isNamPath = (path: string): boolean => /\.nam$/i.test(path);

/**
 * Loads a capture. `loadModel` does the same for a path that ends in `.nam`.
 *
 * @throws FormatError for a file that is damaged, or whose architecture is not supported: it names the field, its
 *   value and the cure.
 * @throws ArgumentError for a format or config beside: the file has its own.
 * @example
 * const { model, parameters, sampleRate } = loadNamModel('amp.nam');
 * const stream = compile(model, parameters, { sampleRate });
 */
export function loadNamModel(path: string, options: LoadOptions = {}): LoadedModel {
  const given = options.format !== undefined && options.format !== 'nam' ? 'format' : 'config';
  if (options[given] !== undefined) {
    throw new ArgumentError(
      `${path}: ${given} is given, but a .nam file states its own architecture; leave ${given} (--${given}) out`,
    );
  }
  return namModelOf(loadNam(path));
}

/** The same of a capture that has been read already. */
export function namModelOf({
  source,
  architecture,
  config: inner,
  weights,
  sampleRate,
}: NamFile): LoadedModel {
  const config = { architecture, config: inner, sample_rate: sampleRate ?? null };
  const { layout, build } = described(config, source);
  const expected = layout.reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  if (weights.length !== expected) {
    const difference = Math.abs(weights.length - expected);
    throw new FormatError(
      `${source}: ${weights.length} weights, but a ${architecture} of this config has ${expected}: ` +
        (weights.length > expected
          ? `${difference} are left over. Is the config of another capture?`
          : `${difference} are missing. Is the file cut short, or the config of another capture?`),
    );
  }
  const model = build();
  const { parameters: known } = traceModel(model);
  const parameters = new Map<string, Float64Array>();
  let at = 0;
  for (const [name, shape] of layout) {
    const size = sizeOf(shape);
    if (known.has(name)) parameters.set(name, Float64Array.from(weights.subarray(at, at + size)));
    at += size;
  }
  return { model, parameters, sampleRate, format: 'nam', config };
}

/** What is wrong with the config is wrong with the file. */
function described(config: Readonly<Record<string, unknown>>, source: string): NamArchitecture {
  try {
    return namArchitecture(config);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    throw new FormatError(`${source}: ${cause.message}`, { cause });
  }
}
