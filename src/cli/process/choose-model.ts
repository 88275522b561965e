import { ArgumentError } from '../../errors.ts';
import type { BiquadSpec } from '../../filters/index.ts';
import type { Layer } from '../../signal/index.ts';
import { UsageError } from '../support/failure.ts';
import { loadCheckpointModel } from './checkpoint.ts';
import type { Choice } from './choice.ts';
import type { ProcessOptions } from './filter-options.ts';

/** Options that mean something only beside another one. */
const COMPANIONS: Readonly<Record<'model' | 'filter' | 'biquad', readonly (keyof ProcessOptions)[]>> = {
  model: ['format', 'config', 'root'],
  filter: ['cutoff', 'family', 'order', 'ripple', 'attenuation'],
  biquad: ['frequency', 'q', 'boost'],
};

/**
 * The model that the command line asks for: a checkpoint, or classical filters one behind the other.
 *
 * @throws UsageError for options that contradict each other; FormatError, ArgumentError, ParameterError where a
 *   checkpoint is not what it should be.
 */
export async function chooseModel(options: ProcessOptions): Promise<Choice> {
  checkModelOptions(options);
  if (options.model !== undefined) return loadCheckpointModel(options.model, options);
  const layers = await classical(options);
  const [first, ...rest] = layers;
  const { sequential } = await import('../../signal/index.ts');
  return { model: rest.length === 0 ? first! : sequential([first!, ...rest]), parameters: {} };
}

/**
 * What can be said of the options before anything is loaded.
 *
 * @throws UsageError for options that contradict each other, or ask for nothing.
 */
export function checkModelOptions(options: ProcessOptions): void {
  for (const [owner, companions] of Object.entries(COMPANIONS)) {
    if (options[owner as keyof ProcessOptions] !== undefined) continue;
    const lonely = companions.find((name) => options[name] !== undefined);
    if (lonely !== undefined) usage(`--${lonely} needs --${owner}.`);
  }
  const classic = options.filter !== undefined || options.biquad !== undefined;
  if (options.model !== undefined && classic) {
    usage('--model runs alone; run --filter and --biquad before or after it, in a pipe.');
  }
  if (options.model === undefined && !classic)
    usage('What shall it run? Give --model, --filter or --biquad.');
}

/** Any rate will do here: whether the edges fit the file is found when the filter is compiled for it. */
async function classical(options: ProcessOptions): Promise<Layer[]> {
  const { filter, cutoff, family = 'butterworth', order = 4, ripple, attenuation } = options;
  const { filter: filterLayer, biquadFilter } = await import('../../layers/filter.ts');
  const layers: Layer[] = [];
  try {
    if (filter !== undefined) {
      if (cutoff === undefined) usage(`--filter ${filter} needs --cutoff, in hertz.`);
      const [low, high, ...more] = cutoff!;
      if (more.length > 0) usage(`--cutoff has ${cutoff!.length} frequencies; give one, or two for a band.`);
      layers.push(
        filterLayer({
          family,
          order,
          type: filter,
          cutoff: high === undefined ? low! : [low!, high],
          ...(ripple === undefined ? {} : { ripple }),
          ...(attenuation === undefined ? {} : { attenuation }),
        }),
      );
    }
    if (options.biquad !== undefined) layers.push(biquadFilter(biquads(options)));
  } catch (error) {
    // Nothing but the command line went into these.
    if (error instanceof ArgumentError) usage(error.message);
    throw error;
  }
  return layers;
}

/** Lists side by side: the n-th of each belongs to the n-th biquad, and a list of one to all. */
function biquads({ biquad, frequency, q, boost }: ProcessOptions): Omit<BiquadSpec, 'sampleRate'>[] {
  if (frequency === undefined) usage('--biquad needs --frequency, in hertz.');
  const lists = { biquad: biquad!, frequency: frequency!, q: q ?? [1], boost: boost ?? [0] };
  const count = Math.max(...Object.values(lists).map((list) => list.length));
  for (const [name, list] of Object.entries(lists)) {
    if (list.length !== 1 && list.length !== count) {
      usage(`--${name} has ${list.length} values, but there are ${count} biquads; give one, or ${count}.`);
    }
  }
  const pick = <T>(list: readonly T[], i: number): T => list[list.length === 1 ? 0 : i]!;
  return Array.from({ length: count }, (_, i) => ({
    type: pick(lists.biquad, i),
    frequency: pick(lists.frequency, i),
    Q: pick(lists.q, i),
    gain: pick(lists.boost, i),
  }));
}

const usage = (message: string): never => {
  throw new UsageError('process', message);
};
