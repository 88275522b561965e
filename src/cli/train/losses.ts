import type { WindowName } from '../../math/window.ts';
import {
  accuracy,
  compressedSpectrum,
  crossEntropy,
  ctc,
  esr,
  l1,
  mse,
  multiResolutionStft,
  siSdr,
  weighted,
  type ClassifyAt,
  type Comparison,
  type Loss,
  type Metric,
  type Resolution,
} from '../../train/index.ts';
import type { Section } from './section.ts';

/** What is compared with what: the keys of every loss. */
const comparison = (read: Section): Comparison => ({
  output: read.text('output'),
  target: read.text('target'),
});

const resolution = (read: Section) => ({
  size: read.number('size'),
  hop: read.number('hop'),
  windowLength: read.number('windowLength'),
  window: read.text('window') as WindowName | undefined,
});

const at = (read: Section): ClassifyAt | undefined => read.choice('at', ['last', 'mean', 'frame']);

/** How each kind's options are read. Values are checked by the loss itself. */
const LOSSES: Readonly<Record<string, (read: Section) => Loss>> = {
  mse: (read) => mse(comparison(read)),
  l1: (read) => l1(comparison(read)),
  esr: (read) => esr({ ...comparison(read), preEmphasis: read.number('preEmphasis') }),
  'si-sdr': (read) => siSdr(comparison(read)),
  'multi-resolution-stft': (read) =>
    multiResolutionStft({
      ...comparison(read),
      convergence: read.number('convergence'),
      logMagnitude: read.number('logMagnitude'),
      resolutions: read.list('resolutions')?.map((value, i) => {
        const one = read.inside(`resolutions.${i}`, value);
        const found = resolution(one);
        one.done();
        return {
          ...found,
          size: one.needed('size', found.size, 'a number of samples'),
          hop: one.needed('hop', found.hop, 'a number of samples'),
        } satisfies Resolution;
      }),
    }),
  'compressed-spectrum': (read) =>
    compressedSpectrum({
      ...comparison(read),
      ...resolution(read),
      power: read.number('power'),
      complex: read.number('complex'),
    }),
  'cross-entropy': (read) =>
    crossEntropy({ ...comparison(read), at: at(read), smoothing: read.number('smoothing') }),
  ctc: (read) => ctc({ ...comparison(read), blank: read.number('blank') }),
};

const METRICS: Readonly<Record<string, (read: Section) => Metric>> = {
  ...LOSSES,
  accuracy: (read) => accuracy({ ...comparison(read), at: at(read) }),
};

/** The key `loss`: `"mse"`, `{ "kind": "esr", "preEmphasis": 0.95 }`, or a list of such with a `weight` each. */
export function lossOf(read: Section): Loss {
  const value = read.needed('loss', read.any('loss'), 'one, such as "mse"');
  if (!Array.isArray(value)) return made(read, 'loss', value, LOSSES, false).item;
  return weighted(
    value.map((term, i) => {
      const { item, weight } = made(read, `loss.${i}`, term, LOSSES, true);
      return { loss: item, weight };
    }),
  );
}

/** The key `metrics`: a list of losses, and `accuracy`. */
export const metricsOf = (read: Section): readonly Metric[] =>
  (read.list('metrics') ?? []).map((value, i) => made(read, `metrics.${i}`, value, METRICS, false).item);

function made<T>(
  parent: Section,
  path: string,
  value: unknown,
  kinds: Readonly<Record<string, (read: Section) => T>>,
  weights: boolean,
): { readonly item: T; readonly weight: number } {
  const read = parent.inside(path, typeof value === 'string' ? { kind: value } : value);
  const names = Object.keys(kinds);
  const kind = read.needed('kind', read.choice('kind', names), `one of ${names.join(', ')}`);
  const weight = (weights ? read.number('weight') : undefined) ?? 1;
  const item = kinds[kind]!(read);
  read.done();
  return { item, weight };
}
