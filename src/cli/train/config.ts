import { readFileSync } from 'node:fs';
import { ArgumentError, GraphError } from '../../errors.ts';
import { modelFor, type Config } from '../../models/index.ts';
import type { Model } from '../../signal/index.ts';
import {
  adamw,
  checkMonitoring,
  constantRate,
  plateau,
  warmUpCosine,
  warmUpLinear,
  type EmaOptions,
  type Loss,
  type Metric,
  type Optimizer,
  type ParameterGroup,
  type RateSchedule,
} from '../../train/index.ts';
import { UsageError } from '../support/failure.ts';
import { lossOf, metricsOf } from './losses.ts';
import { Section } from './section.ts';

/** A run as a configuration file describes it, checked. */
export interface TrainConfig {
  readonly model: {
    readonly format: string;
    readonly config: Config;
    readonly made: Model;
    /** What the weights are saved with: the same parameters, as a stream wants them. */
    readonly streamed: { readonly config: Config; readonly made: Model };
    readonly init: string | undefined;
  };
  /** Descriptions for `openSource`. */
  readonly data: Description;
  readonly validation: Description | undefined;
  readonly prefetch: number;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
  readonly monitor: string | undefined;
  readonly patience: number | undefined;
  readonly optimizer: Optimizer;
  /** Learning rate that the schedule's 1 stands for. */
  readonly rate: number;
  readonly schedule: RateSchedule;
  readonly ema: EmaOptions | undefined;
  readonly epochs: number;
  readonly seed: number;
  readonly out: string;
  readonly backend: Backend;
  readonly workers: number | undefined;
  readonly deterministic: boolean;
  readonly everySteps: number | undefined;
  readonly title: string | undefined;
  /** Texts for the metadata of the weights: licence, where the data are from. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type Description = Readonly<Record<string, unknown>> & { readonly kind: string };

const backends = ['cpu', 'gpu', 'reference'] as const;
export type Backend = (typeof backends)[number];

/** What the command line puts in place of the file's. */
export interface Overrides {
  readonly out?: string | undefined;
  readonly epochs?: number | undefined;
  readonly seed?: number | undefined;
  readonly backend?: Backend | undefined;
  readonly workers?: number | undefined;
}

/**
 * Reads and checks a configuration file before anything is opened or written.
 *
 * @throws UsageError naming the key, the value and the cure.
 */
export function readConfig(path: string, overrides: Overrides = {}): TrainConfig {
  let value: unknown;
  const text = readFileSync(path, 'utf8');
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError('train', `${path} is no JSON: ${(cause as Error).message}`);
  }
  try {
    return parseConfig(new Section(path, '', value), overrides);
  } catch (error) {
    // What losses, optimisers and models say of their options is about this file.
    if (error instanceof ArgumentError || error instanceof GraphError)
      throw new UsageError('train', `${path}: ${error.message}`);
    throw error;
  }
}

function parseConfig(read: Section, overrides: Overrides): TrainConfig {
  const optimizer = optimizerOf(read.section('optimizer'));
  const config: TrainConfig = {
    model: modelOf(read.needed('model', read.section('model'), '{ "format": …, "config": { … } }')),
    data: read.needed('data', sourceOf(read.section('data')), 'a source, such as { "kind": "clips", … }'),
    validation: sourceOf(read.section('validation')),
    prefetch: count(read, 'prefetch', 0) ?? 0,
    loss: lossOf(read),
    metrics: metricsOf(read),
    monitor: read.text('monitor'),
    patience: count(read, 'patience', 0),
    ...optimizer,
    schedule: scheduleOf(read.section('schedule')),
    ema: emaOf(read.section('ema')),
    epochs: read.needed(
      'epochs',
      overrides.epochs ?? count(read, 'epochs', 1),
      'how often the data are gone through',
    ),
    seed: overrides.seed ?? count(read, 'seed', 0) ?? 0,
    out: read.needed('out', overrides.out ?? read.text('out'), 'a folder, or --out'),
    backend: overrides.backend ?? read.choice('backend', backends) ?? 'cpu',
    workers: overrides.workers ?? count(read, 'workers', 1),
    deterministic: read.flag('deterministic') ?? false,
    everySteps: count(read, 'everySteps', 1),
    title: read.text('title'),
    metadata: textsOf(read, 'metadata'),
  };
  // Overridden keys are known all the same.
  for (const key of ['epochs', 'seed', 'out', 'backend', 'workers']) read.any(key);
  read.done();
  checkMonitoring(config);
  return config;
}

function modelOf(read: Section): TrainConfig['model'] {
  const format = read.needed('format', read.text('format'), 'the name of an architecture, such as "s4d"');
  const config = (read.any('config') ?? {}) as Config;
  if (typeof config !== 'object' || Array.isArray(config)) read.refuse('config', 'give an object');
  const changes = (read.any('streamed') ?? {}) as Config;
  if (typeof changes !== 'object' || Array.isArray(changes)) read.refuse('streamed', 'give an object');
  const init = read.text('init');
  read.done();
  const streamed = { ...config, ...changes };
  return {
    format,
    config,
    made: modelFor(format, config),
    streamed: { config: streamed, made: modelFor(format, streamed) },
    init,
  };
}

function sourceOf(read: Section | undefined): Description | undefined {
  if (read === undefined) return undefined;
  read.needed('kind', read.text('kind'), 'the name of a source, such as "clips"');
  // The source knows its own options, and says which are wrong when it is opened.
  return read.values as Description;
}

function optimizerOf(read: Section | undefined): { readonly optimizer: Optimizer; readonly rate: number } {
  const rate = read?.number('rate') ?? 1e-3;
  const optimizer = adamw({
    rate,
    decay: read?.number('decay'),
    stateRate: read?.number('stateRate'),
    beta1: read?.number('beta1'),
    beta2: read?.number('beta2'),
    eps: read?.number('eps'),
    // JSON has no Infinity.
    clip: read?.any('clip') === null ? Infinity : read?.number('clip'),
    groups: read?.list('groups')?.map((value, i) => groupOf(read.inside(`groups.${i}`, value))),
  });
  read?.done();
  return { optimizer, rate };
}

function groupOf(read: Section): ParameterGroup {
  const match = read.any('match');
  const patterns = [match].flat();
  if (patterns.length === 0 || patterns.some((pattern) => typeof pattern !== 'string'))
    read.refuse('match', 'give a pattern such as "*.kernel.log_dt", or a list of them');
  const group = { match: patterns as string[], rate: read.number('rate'), decay: read.number('decay') };
  read.done();
  return group;
}

const SCHEDULES = ['constant', 'cosine', 'linear', 'plateau'] as const;

function scheduleOf(read: Section | undefined): RateSchedule {
  if (read === undefined) return constantRate();
  const kind = read.needed('kind', read.choice('kind', SCHEDULES), `one of ${SCHEDULES.join(', ')}`);
  const warmUp = (): { warmUp: number | undefined; floor: number | undefined } => ({
    warmUp: read.number('warmUp'),
    floor: read.number('floor'),
  });
  const schedule = {
    constant: () => constantRate(),
    cosine: () => warmUpCosine(warmUp()),
    linear: () => warmUpLinear(warmUp()),
    plateau: () => plateau({ ...warmUp(), factor: read.number('factor'), patience: read.number('patience') }),
  }[kind]();
  read.done();
  return schedule;
}

function emaOf(read: Section | undefined): EmaOptions | undefined {
  if (read === undefined) return undefined;
  const options = { decay: read.number('decay'), every: read.number('every') };
  read.done();
  return options;
}

/** A whole number. */
function count(read: Section, key: string, least: number): number | undefined {
  const value = read.number(key);
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= least))
    read.refuse(key, `give a whole number of at least ${least}`);
  return value;
}

function textsOf(read: Section, key: string): Readonly<Record<string, string>> {
  const texts = read.section(key)?.values ?? {};
  if (Object.values(texts).some((text) => typeof text !== 'string')) read.refuse(key, 'give texts by key');
  return texts as Readonly<Record<string, string>>;
}
