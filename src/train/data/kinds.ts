/** Sources by name, with options that JSON can hold: what configuration files and worker threads name. */
import { ArgumentError } from '../../errors.ts';
import type { Augmentation } from './augment.ts';
import { carried } from './carried.ts';
import { clips } from './clips.ts';
import { denoise, type DenoiseOptions, type Place } from './denoise.ts';
import type { DataSource, SourceDescription } from './described.ts';
import { regularExpression } from './files.ts';
import { digits, type DigitsOptions } from './fsdd.ts';
import { labelsOf } from './labels.ts';
import { mnist, type MnistOptions } from './mnist.ts';
import type { OrderOptions } from './order.ts';
import type { Ports } from './ports.ts';
import { openCache } from './recordings/cache-file.ts';
import { openRecordings, type RecordingsOptions } from './recordings/open-recordings.ts';
import type { Recordings } from './recordings/recordings.ts';
import { sideBySide } from './recordings/side-by-side.ts';
import { series, type SeriesOptions } from './series.ts';
import { teacherPorts } from './teacher/ports.ts';

/** Recordings, alone or beside those that a model should make of them. */
export interface RecordingsDescription extends RecordingsOptions {
  /** Folder or files of the targets (`output`), of the same names: an effect's output, the clean of a noisy recording. */
  readonly outputs?: Place | undefined;
  /** Regular expression whose first group is a file's class: the target `labels`. */
  readonly label?: string | undefined;
  readonly classes?: readonly string[] | undefined;
  readonly ports?: Ports | undefined;
}

export interface ClipsDescription extends RecordingsDescription, OrderOptions {
  readonly kind: 'clips';
  readonly frames?: number | undefined;
  readonly starts?: 'random' | number | undefined;
  readonly by?: 'length' | 'recording' | undefined;
  readonly buckets?: number | readonly number[] | undefined;
  readonly augmentation?: Augmentation | undefined;
}

export interface CarriedDescription extends Omit<RecordingsDescription, 'label' | 'classes'>, OrderOptions {
  readonly kind: 'carried';
  readonly frames: number;
  readonly chunks?: number | undefined;
}

/** What a teacher answered: a file that `teach` made. */
export interface TaughtDescription extends OrderOptions {
  readonly kind: 'taught';
  /** The file. */
  readonly cache: string;
  readonly frames: number;
  /** Carries the state on from batch to batch, so many in a row; absent: random clips. */
  readonly chunks?: number | undefined;
  /** Frames by which answers are taken earlier: the teacher's own delay, for a student that need not learn it; 0. */
  readonly ahead?: number | undefined;
}

/** A source of one's own: `(options) => DataSource`, the export of a module, which a worker thread can import too. */
export interface ModuleDescription {
  readonly kind: 'module';
  /** Absolute path or URL of the module. */
  readonly module: string;
  /** `default` by default. */
  readonly export?: string | undefined;
  readonly options?: unknown;
}

export type Description =
  | ClipsDescription
  | CarriedDescription
  | TaughtDescription
  | ModuleDescription
  | ({ readonly kind: 'denoise' } & DenoiseOptions)
  | ({ readonly kind: 'digits' } & DigitsOptions)
  | ({ readonly kind: 'mnist' } & MnistOptions)
  | ({ readonly kind: 'series' } & SeriesOptions);

const ORDER = 'batch seed shuffle last';
const FILES =
  'files include exclude sampleRate channels downmix otherRates cache sampleType damaged outputs ports';

interface Kind {
  /** Names of the options, so that a misspelt one is found. */
  readonly options: string;
  open(options: never): DataSource | Promise<DataSource>;
}

const KINDS: Readonly<Record<Description['kind'], Kind>> = {
  clips: {
    options: `${FILES} ${ORDER} label classes frames starts by buckets augmentation`,
    async open(options: ClipsDescription) {
      const { recordings, ports } = await described(options);
      const expression = regularExpression(options.label, 'label');
      if (expression === undefined) return clips(recordings, { ...options, ports });
      const { labels, classes } = labelsOf(recordings.list, expression, options.classes);
      const source = clips(recordings, { ...options, ports, labels });
      return { ...source, facts: { ...source.facts, classes } };
    },
  },
  carried: {
    options: `${FILES} ${ORDER} frames chunks`,
    async open(options: CarriedDescription) {
      const { recordings, ports } = await described(options);
      return carried(recordings, { ...options, ports });
    },
  },
  taught: {
    options: `cache ${ORDER} frames chunks ahead`,
    open(options: TaughtDescription) {
      const pieces = openCache(options.cache);
      const ports = teacherPorts(options.ahead);
      return options.chunks === undefined
        ? clips(pieces, { ...options, ports })
        : carried(pieces, { ...options, ports });
    },
  },
  denoise: {
    options:
      'speech speaker noise rooms sampleRate frames batch batchesPerEpoch seed fixed cache damaged weights colours ' +
      'babble speeds snr level equaliser early target floor bands shares',
    open: (options: DenoiseOptions) => denoise(options),
  },
  digits: {
    options: `folder part sampleRate augmentation buckets cache ${ORDER}`,
    open: (options: DigitsOptions) => digits(options),
  },
  mnist: {
    options: `part folder permutation count ${ORDER}`,
    open: (options: MnistOptions) => mnist(options),
  },
  series: {
    options: `files inputs outputs ahead frames starts chunks split part normalise missing sampleRate ${ORDER}`,
    open: (options: SeriesOptions) => series(options),
  },
  module: {
    options: 'module export options',
    async open({ module, export: name = 'default', options }: ModuleDescription) {
      const loaded = (await import(module)) as Record<string, unknown>;
      const make = loaded[name];
      if (typeof make !== 'function') {
        throw new ArgumentError(
          `${module}: no function "${name}"; it exports ${Object.keys(loaded).join(', ')}`,
        );
      }
      return (make as (options: unknown) => DataSource | Promise<DataSource>)(options);
    },
  },
};

/**
 * A source from its description.
 *
 * @throws ArgumentError for a kind or an option that there is not, and whatever the source itself throws.
 * @example
 * const source = await openSource({ kind: 'mnist', part: 'train', batch: 50, seed: 1 });
 */
export async function openSource(description: Description | SourceDescription): Promise<DataSource> {
  const { kind, ...options } = description;
  if (!Object.hasOwn(KINDS, kind)) {
    throw new ArgumentError(`data: kind '${kind}' is none of ${Object.keys(KINDS).join(', ')}`);
  }
  const entry = KINDS[kind as Description['kind']];
  const known = entry.options.split(' ');
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new ArgumentError(`data: ${kind} has no option "${name}"; it has ${known.join(', ')}`);
    }
  }
  return entry.open(options as never);
}

/** The recordings of a description, inputs beside targets where it has both. */
async function described(
  options: Omit<RecordingsDescription, 'label'>,
): Promise<{ recordings: Recordings; ports: Ports | undefined }> {
  const recordings = await openRecordings(options);
  if (options.outputs === undefined) return { recordings, ports: options.ports };
  const place = typeof options.outputs === 'string' ? { files: options.outputs } : options.outputs;
  const outputs = await openRecordings({
    ...options,
    ...place,
    cache: options.cache === undefined ? undefined : `${options.cache}.outputs`,
  });
  const both = sideBySide(recordings, outputs);
  const count = recordings.channels;
  const ports = options.ports ?? {
    inputs: { input: Array.from({ length: count }, (_, c) => c) },
    targets: { output: { channels: Array.from({ length: count }, (_, c) => count + c) } },
  };
  return { recordings: both, ports };
}
