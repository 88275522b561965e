/** A model's parameters out of a checkpoint: all of them, nothing else, each of its shape. */
import { ParameterError } from '../errors.ts';
import { listSome, quote, showShape } from './message.ts';
import type { Checkpoint } from './safetensors.ts';
import { nearestName } from './similar-name.ts';
import { toFloat64 } from './tensor.ts';

export interface TakeOptions {
  /** What the checkpoint puts before each name, such as `model.`; tensors without it are not looked at. */
  readonly prefix?: string;
  /** Leave tensors that nobody expects; otherwise they are refused. */
  readonly allowExtra?: boolean;
}

/**
 * Takes the parameters that a model expects.
 *
 * @param expected shape by name, as the model knows it (without the prefix).
 * @returns `product(shape)` values by name, row-major, widened to float64 exactly, in the order of `expected`.
 * @throws ParameterError that names the tensors that are missing, superfluous, or of another shape.
 * @example
 * const values = takeParameters(checkpoint, new Map([['kernel.C', [1, 8, 32, 2]], ['D', [8]]]), { prefix: 'layer.' });
 */
export function takeParameters(
  checkpoint: Checkpoint,
  expected: ReadonlyMap<string, readonly number[]>,
  options: TakeOptions = {},
): Map<string, Float64Array> {
  const { prefix = '', allowExtra = false } = options;
  const { source, tensors } = checkpoint;
  const values = new Map<string, Float64Array>();
  const missing: string[] = [];
  const faults: string[] = [];
  for (const [name, shape] of expected) {
    const found = tensors.get(prefix + name);
    if (!found) missing.push(name);
    else if (!sameShape(found.shape, shape)) {
      faults.push(
        `${quote(prefix + name)} has shape ${showShape(found.shape)}, the model expects ${showShape(shape)}`,
      );
    } else values.set(name, toFloat64(found));
  }
  const extra = [...tensors.keys()].filter(
    (name) => name.startsWith(prefix) && !expected.has(name.slice(prefix.length)),
  );

  // Few are shown, so for few is a neighbour looked up: the search takes time with the names it goes through.
  const shown = missing.map((name, i) => {
    const near = i < 5 ? nearestName(prefix + name, extra) : undefined;
    const hint = near === undefined ? '' : `, is it ${quote(near)} ${showShape(tensors.get(near)!.shape)}?`;
    return `${quote(prefix + name)} ${showShape(expected.get(name)!)} is missing${hint}`;
  });
  const superfluous = allowExtra
    ? []
    : extra.map((name) => `${quote(name)} ${showShape(tensors.get(name)!.shape)} is not expected`);

  const all = [...shown, ...faults, ...superfluous];
  if (all.length > 0) {
    throw new ParameterError(
      `${source}: ${listSome(all)}. ${cure(checkpoint, missing, faults, extra, prefix)}`,
    );
  }
  return values;
}

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((length, i) => length === b[i]);

function cure(
  checkpoint: Checkpoint,
  missing: readonly string[],
  faults: readonly string[],
  extra: readonly string[],
  prefix: string,
): string {
  const before = otherPrefix(checkpoint, missing);
  if (before !== undefined && before !== prefix)
    return `The names start with ${quote(before)} there: give it as prefix`;
  if (missing.length + faults.length === 0) {
    return `Pass allowExtra to leave ${extra.length === 1 ? 'it' : 'them'}, or build the model that has ${extra.length === 1 ? 'it' : 'them'}`;
  }
  return 'Build the model with the configuration that the checkpoint was trained with, or map the names';
}

/** What to put before every missing name so that it is there; undefined when nothing does. */
function otherPrefix({ tensors }: Checkpoint, missing: readonly string[]): string | undefined {
  const [first] = missing;
  if (first === undefined) return undefined;
  for (const name of tensors.keys()) {
    if (!name.endsWith(first)) continue;
    const before = name.slice(0, name.length - first.length);
    if ((before === '' || before.endsWith('.')) && missing.every((other) => tensors.has(before + other)))
      return before;
  }
  return undefined;
}
