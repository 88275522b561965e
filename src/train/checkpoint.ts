import { existsSync } from 'node:fs';
import { loadSafetensors, saveSafetensors, tensor, type Tensor } from '../checkpoint/index.ts';
import { FormatError, TrainingError } from '../errors.ts';
import type { FloatArray, Graph } from '../signal/index.ts';
import type { RunPlace, RunState } from './run-state.ts';

/**
 * A run on disk: one safetensors file, in which tensors are named by what they are for.
 *
 * | tensors | type | |
 * | --- | --- | --- |
 * | `weights.<parameter>` | F32 | |
 * | `moments.<parameter>.m`, `.v` | F32 | the optimiser's |
 * | `best.<parameter>` | F32 | where a validation has found some |
 * | `mean.<parameter>` | F64 | moving mean of the weights, where there is one |
 * | `carried.<name>` | F32, F64 | what the next batch goes on from |
 *
 * Metadata: `format` (`statewave-run`), `version`, `place` and `settings` (JSON). The generators of random numbers have
 * no state: what they draw follows from the seed and the counters in `place`.
 */
const FORMAT = 'statewave-run';
const VERSION = '1';

/** Writes a run so that a reader finds all of it or the one before: to a temporary name, flushed, renamed. */
export function saveRun(path: string, graph: Graph, state: RunState): void {
  const tensors = new Map<string, Tensor>();
  const put = (name: string, data: FloatArray, shape: readonly number[]): void => {
    tensors.set(name, tensor(data instanceof Float64Array ? 'F64' : 'F32', shape, data, name));
  };
  const { parameters, moments, carried } = state.session;
  for (const [group, values] of [
    ['weights', parameters],
    ['best', state.best],
    ['mean', state.ema],
  ] as const) {
    for (const [name, data] of values ?? [])
      put(`${group}.${name}`, data, graph.parameters.get(name)?.shape ?? [data.length]);
  }
  for (const [group, values] of [
    ['moments', moments],
    ['carried', carried],
  ] as const) {
    for (const [name, data] of values ?? []) put(`${group}.${name}`, data, [data.length]);
  }
  saveSafetensors(path, tensors, {
    format: FORMAT,
    version: VERSION,
    place: JSON.stringify(state.place),
    settings: JSON.stringify(state.settings),
  });
}

/**
 * Reads a run, or undefined where there is no such file.
 *
 * @param graph whose parameters' order the weights get; a file has its own.
 * @param settings what the run is to be set to.
 * @throws FormatError for a file that is no run, TrainingError for one of other settings.
 */
export function loadRun(path: string, graph: Graph, settings: RunState['settings']): RunState | undefined {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = loadSafetensors(path);
  if (metadata.get('format') !== FORMAT || metadata.get('version') !== VERSION) {
    throw new FormatError(
      `${path}: format ${JSON.stringify(metadata.get('format') ?? null)}, version ` +
        `${JSON.stringify(metadata.get('version') ?? null)} is no run that can be resumed (${FORMAT}, ${VERSION}); ` +
        'give another path, or remove it',
    );
  }
  const stored = JSON.parse(metadata.get('settings')!) as Record<string, unknown>;
  compareSettings(path, stored, JSON.parse(JSON.stringify(settings)) as Record<string, unknown>);
  const group = <A extends FloatArray>(name: string): Map<string, A> | undefined => {
    const found = [...tensors].filter(([key]) => key.startsWith(`${name}.`));
    if (found.length === 0) return undefined;
    return new Map(found.map(([key, { data }]) => [key.slice(name.length + 1), data.slice() as A]));
  };
  const inOrder = <A extends FloatArray>(name: string): Map<string, A> | undefined => {
    const found = group<A>(name);
    return found && new Map([...graph.parameters.keys()].map((key) => [key, found.get(key)!]));
  };
  const carried = group<FloatArray>('carried');
  return {
    place: JSON.parse(metadata.get('place')!) as RunPlace,
    session: {
      parameters: inOrder<Float32Array>('weights') ?? new Map<string, Float32Array>(),
      moments: group<Float32Array>('moments') ?? new Map<string, Float32Array>(),
      ...(carried ? { carried } : {}),
    },
    best: inOrder<Float32Array>('best'),
    ema: inOrder<Float64Array>('mean'),
    settings: stored,
  };
}

function compareSettings(
  path: string,
  stored: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): void {
  for (const key of new Set([...Object.keys(stored), ...Object.keys(given)])) {
    const [before, now] = [stored[key], given[key]].map((value) => JSON.stringify(value) ?? 'nothing');
    if (before === now) continue;
    throw new TrainingError(
      `${path} is a run with ${key} ${short(before!)}, this one has ${short(now!)}; resume with the same settings, or ` +
        'begin anew with another path',
    );
  }
}

const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
