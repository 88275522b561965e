/**
 *     y[t] = P(τ, first−1) qᵀ S[first−1] + Σ_{s ≤ τ} Σᵣ scores[t, s, r] v[s, r],   scores = Σₖ q[t] P(τ, s) k[s, r]
 */
import { ZERO, multiply } from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { ForwardCall } from '../../kernels.ts';
import { X, Y, Z, type Tensor } from '../../tensor.ts';
import {
  apart,
  chunkText,
  entered,
  frameAt,
  kept,
  placeText,
  product,
  scanOf,
  sum,
  type Scan,
} from './operands.ts';
import { decaysOver, keptInside, startsOf } from './states.ts';

/** Text of a pair's number out of arrays of [C · R · H] a frame. */
export const pairPlace = ({ rank, heads }: Scan, s: string, r: string, head: string): string =>
  sum(product(sum(product(s, rank), r), heads), head);

/** The thread's pair: (s, r, head). */
export function pairOf(source: Source, { rank, heads }: Scan): readonly [string, string, string] {
  const [pair, head] = apart(source, X, heads);
  const [s, r] = apart(source, pair, rank);
  return [s, r, head];
}

/** Whether frame s has entered the state that the thread reads out. */
export const isPast = (scan: Scan, s: string): string => `${s} <= ${placeText(scan)} - ${scan.before}`;

export function matrixForward(call: ForwardCall, save: (name: string, tensor: Tensor) => void): Tensor {
  const { plan, label, dims } = call;
  const scan = scanOf(call);
  const { keys, values, rank, chunk, chunks } = scan;
  const inside = keptInside(call, scan);
  const decays = decaysOver(call, scan);
  const starts = startsOf(call, scan, decays, inside);
  const scores = scoresOf(call, scan, inside);
  for (const [name, tensor] of Object.entries({ inside, decays, starts, scores })) {
    if (tensor) save(name, tensor);
  }

  const source = new Source();
  const [head, value] = apart(source, X, values);
  const y = source.variable('y', ZERO);
  if (starts) {
    source.when(`${chunkText(scan)} > 0`, () => {
      source.times('k', keys, (k) => {
        const through = entered(source, scan, { head, key: k, frame: Y, place: placeText(scan) });
        const from = `starts[${Z}][${chunkText(scan)}][(${sum(product(head, keys), k)}) * ${values} + ${value}]`;
        source.set(y, `${y} + ${multiply(through, `${scan.read('q', head, k)} * ${from}`)}`);
      });
    });
  }
  source.times('s', chunk, (s) => {
    source.when(isPast(scan, s), () =>
      source.times('r', rank, (r) => {
        const v = scan.read('v', head, sum(product(r, values), value), frameAt(scan, s));
        source.set(y, `${y} + scores[${Z}][${Y}][${pairPlace(scan, s, r, head)}] * ${v}`);
      }),
    );
  });
  const isKept = inside && chunks > 1 ? { kept: inside } : {};
  return plan.run({
    label: `${label} outputs`,
    dims,
    inputs: {
      q: scan.tensor('q'),
      v: scan.tensor('v'),
      scores,
      ...isKept,
      ...(starts ? { starts } : {}),
    },
    body: source.body(y),
  });
}

function scoresOf({ plan, label }: ForwardCall, scan: Scan, inside: Tensor | undefined): Tensor {
  const { heads, keys, rank, before, chunk, frames, items, decays } = scan;
  const source = new Source();
  const [s, r, head] = pairOf(source, scan);
  const score = source.variable('score', ZERO);
  const left = (key: string): string => kept(scan, `${Y} - ${before}`, `(${s} + 1)`, head, key);
  source.when(isPast(scan, s), () => {
    source.times('k', keys, (k) => {
      const key = scan.read('k', head, sum(product(r, keys), k), frameAt(scan, s));
      const one = `${scan.read('q', head, k)} * ${key}`;
      source.set(score, `${score} + ${decays > 1 ? multiply(left(k), one) : one}`);
    });
    if (decays === 1) source.set(score, multiply(score, left(ZERO)));
  });
  return plan.run({
    label: `${label} scores`,
    dims: [chunk * rank * heads, frames, items],
    inputs: { q: scan.tensor('q'), k: scan.tensor('k'), ...(inside ? { kept: inside } : {}) },
    body: source.body(score),
  });
}
