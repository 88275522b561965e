import { loadSafetensors, toFloat64, type Checkpoint } from '../checkpoint/index.ts';
import { nearestName } from '../checkpoint/similar-name.ts';
import { FormatError } from '../errors.ts';
import type { Config } from '../models/index.ts';
import { parseLayout, type Layout } from './layout.ts';

/** A tensor of a golden file. */
export interface Official {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major, widened to float64. */
  readonly values: Float64Array;
}

/**
 * What an official implementation computed, and how to compare with it: a safetensors file whose metadata say
 * `kind`, `inputs`, `layout`, `causal`, `ways` (tolerances), `config`, and where needed `constants`, `scale`.
 */
export interface Golden {
  readonly path: string;
  /** How the case is called in the report. */
  readonly name: string;
  /** `layer`, `model`, `network`, `op`, `table`, `tokens`; a file may be two of them. */
  readonly kinds: readonly string[];
  /** Names of the tensors that go in, one a port. */
  readonly inputs: readonly string[];
  /** Names of the tensors that are coefficients of an `op`. */
  readonly constants: readonly string[];
  /** `true`, `false`, or in words, such as `declared look-ahead`. */
  readonly causal: string;
  /** Tolerance by way of comparing. */
  readonly ways: ReadonlyMap<string, number>;
  readonly config: Config;
  readonly note: string;
  readonly source: string;
  /** All texts, for what one family alone has (`scale`, `std`). */
  readonly metadata: ReadonlyMap<string, string>;
  readonly checkpoint: Checkpoint;
  /** True where the official code ran in float64. */
  readonly inFloat64: boolean;
  /** @throws FormatError where there is none of that name. */
  tensor(name: string): Official;
  has(name: string): boolean;
  layoutOf(tensor: string): Layout;
}

const KINDS = new Set(['layer', 'model', 'network', 'op', 'table', 'tokens']);

/**
 * Reads a golden file.
 *
 * @throws FormatError where it is no safetensors file, or where its metadata are not those of a golden file.
 */
export function openGolden(path: string, name: string): Golden {
  const checkpoint = loadSafetensors(path);
  const { metadata, tensors } = checkpoint;
  const fail = (message: string): never => {
    throw new FormatError(`${path}: ${message}`);
  };
  const text = (key: string): string =>
    metadata.get(key) ??
    fail(`the metadata have no "${key}"; a golden file says kind, inputs, layout, causal and ways`);

  const kinds = text('kind').split('+');
  const strange = kinds.find((kind) => !KINDS.has(kind));
  if (strange !== undefined) fail(`kind "${strange}" is unknown; it is one of ${[...KINDS].join(', ')}`);
  const inputs = strings(parsed(text('inputs')));
  const constants = strings(parsed(metadata.get('constants') ?? '[]'));
  if (inputs === undefined) fail(`inputs is ${text('inputs')}; it has to be a list of tensor names`);
  if (constants === undefined) fail(`constants is ${text('constants')}; it has to be a list of tensor names`);
  for (const input of [...inputs!, ...constants!])
    if (!tensors.has(input)) fail(`the metadata name a tensor "${input}", which the file does not hold`);

  const ways = Object.entries(record(parsed(text('ways'))) ?? fail('ways is no object of tolerances'));
  if (ways.length === 0) fail('ways is empty: nothing would be compared');
  for (const [way, tolerance] of ways)
    if (!(typeof tolerance === 'number' && tolerance >= 0))
      fail(`the tolerance of way "${way}" is ${JSON.stringify(tolerance)}; it has to be a number, 0 or more`);

  const layouts = parseLayout(text('layout'), path);
  return {
    path,
    name,
    kinds,
    inputs: inputs!,
    constants: constants!,
    causal: text('causal'),
    ways: new Map(ways as [string, number][]),
    config: record(parsed(metadata.get('config') ?? '{}')) ?? fail('config is no JSON object'),
    note: metadata.get('note') ?? '',
    source: metadata.get('source') ?? '',
    metadata,
    checkpoint,
    inFloat64: inputs!.length > 0 && tensors.get(inputs![0])!.dtype === 'F64',
    tensor(key) {
      const found = tensors.get(key);
      if (found) return { name: key, shape: found.shape, values: toFloat64(found) };
      const near = nearestName(key, tensors.keys());
      return fail(`there is no tensor "${key}"${near === undefined ? '' : `; did you mean "${near}"?`}`);
    },
    has: (key) => tensors.has(key),
    layoutOf: layouts,
  };
}

/** JSON as Python writes it: with `Infinity`. Undefined where it is none. */
function parsed(text: string): unknown {
  for (const candidate of [text, text.replace(/(?<=[[:,\s])(-?)Infinity\b/g, '$11e999')]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // The next candidate, or none.
    }
  }
  return undefined;
}

const strings = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
