/**
 * In chunks, Λ being what all later chunks owe to a chunk's end, S₀ what it began with, and g[t, s, r] = v[s, r]·dy[t]:
 *
 *     dq[t] = P(τ, first−1) S₀ dy[t] + Σ_{s ≤ τ} P(τ, s) Σᵣ k[s, r] g[t, s, r]
 *     dk[s, r] = P(last, s) Λ v[s, r] + Σ_{τ ≥ s} P(τ, s) q[t] g[t, s, r]
 *     dv[s, r] = Λᵀ P(last, s) k[s, r] + Σ_{τ ≥ s} scores[t, s, r] dy[t]
 *
 * and dw[t] = Σᵥ λ[t] S[t−1], both factors being sums of a part from outside the chunk and one from within:
 *
 *     dw[t] = P(last, t) (P(t−1, first−1) Σᵥ Λ S₀ + Σ_{s < t} P(t−1, s) Σᵣ k (Λ v))
 *           + Σ_{u: τ ≥ t} P(τ, t) (P(t−1, first−1) q[u] (S₀ dy[u]) + Σ_{s < t} P(t−1, s) Σᵣ q[u] k[s, r] g[u, s, r])
 *
 * summed over keys where they share their decay. Nothing is divided by a decay, so 0 is no special case, and no
 * difference of large sums is taken.
 *
 * | symbol | name | numbers a frame |
 * | --- | --- | --- |
 * | g | `products` | C · R · H |
 * | S₀ dy | `met` | H · K |
 * | Λ v | `asked` | H · R · K |
 * | Σᵣ q k g | `pairs` | C · H · D |
 */
import type { MatrixScanRole } from '../../../../../ops/matrix-scan-plan.ts';
import { ZERO, multiply } from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { BackwardCall } from '../../kernels.ts';
import { widthOf, X, Y, Z, type Tensor } from '../../tensor.ts';
import { isPast, pairOf, pairPlace } from './forward.ts';
import {
  apart,
  chunkText,
  entered,
  enteredBefore,
  frameAt,
  kept,
  placeText,
  product,
  scanOf,
  sum,
  type Scan,
} from './operands.ts';
import { owedOf } from './states.ts';

/** What the gradients are made of. */
interface Parts {
  readonly scan: Scan;
  readonly inside: Tensor | undefined;
  readonly starts: Tensor | undefined;
  readonly scores: Tensor;
  readonly owed: Tensor | undefined;
  /** g */
  readonly products: Tensor;
  /** S₀ dy */
  readonly met: Tensor | undefined;
  /** Λ v */
  readonly asked: Tensor | undefined;
}

export function matrixAdjoint(call: BackwardCall): void {
  const { saved, wanted, give } = call;
  const scan = scanOf(call);
  const asks = (...roles: MatrixScanRole[]): boolean =>
    roles.some((role) => scan.has(role) && wanted(scan.position(role)));
  const inside = saved.get('inside');
  const starts = saved.get('starts');
  const owed = asks('k', 'v', 'decay') ? owedOf(call, scan, saved.get('decays'), inside) : undefined;
  const parts: Parts = {
    scan,
    inside,
    starts,
    scores: saved.get('scores')!,
    owed,
    products: productsOf(call, scan),
    met: starts && asks('q', 'decay') ? metOf(call, scan, starts) : undefined,
    asked: owed && asks('k', 'decay') ? askedOf(call, scan, owed) : undefined,
  };
  const makers = { q: queries, k: keysOf, v: valuesOf, decay: decaysOf } as const;
  for (const role of ['q', 'k', 'v', 'decay'] as const) {
    if (asks(role)) give(scan.position(role), overShared(call, scan, role, makers[role](call, parts)));
  }
}

/** Σ over the heads that share an operand's. */
function overShared({ plan, label }: BackwardCall, scan: Scan, role: MatrixScanRole, whole: Tensor): Tensor {
  const { heads, frames, items } = scan;
  const rows = scan.rows(role);
  if (rows === heads) return whole;
  const size = widthOf(whole) / heads;
  const source = new Source();
  const [row, place] = apart(source, X, size);
  const all = source.variable('all', ZERO);
  source.times('i', heads / rows, (i) => {
    const head = sum(product(row, heads / rows), i);
    source.set(all, `${all} + whole[${Z}][${Y}][${sum(product(head, size), place)}]`);
  });
  return plan.run({
    label: `${label} d${role}`,
    dims: [rows * size, frames, items],
    inputs: { whole },
    body: source.body(all),
  });
}

/** g[t, s, r], 0 where s is not past. */
function productsOf({ plan, label, dOutput }: BackwardCall, scan: Scan): Tensor {
  const { heads, values, rank, chunk, frames, items } = scan;
  const source = new Source();
  const [s, r, head] = pairOf(source, scan);
  const g = source.variable('g', ZERO);
  source.when(isPast(scan, s), () =>
    source.times('v', values, (v) => {
      const value = scan.read('v', head, sum(product(r, values), v), frameAt(scan, s));
      source.set(g, `${g} + ${value} * d[${Z}][${Y}][${sum(product(head, values), v)}]`);
    }),
  );
  return plan.run({
    label: `${label} products`,
    dims: [chunk * rank * heads, frames, items],
    inputs: { v: scan.tensor('v'), d: dOutput },
    body: source.body(g),
  });
}

/** Element (head, key, value) of Λ of the thread's chunk. */
const owedText = (scan: Scan, head: string, key: string, value: string): string =>
  `owed[${Z}][${scan.chunks - 1} - ${chunkText(scan)}][(${sum(product(head, scan.keys), key)}) * ${scan.values} + ${value}]`;

/** S₀ dy, zero in the first chunk. */
function metOf({ plan, label, dOutput }: BackwardCall, scan: Scan, starts: Tensor): Tensor {
  const { heads, keys, values, frames, items } = scan;
  const source = new Source();
  const [head] = apart(source, X, keys);
  const met = source.variable('met', ZERO);
  source.times('v', values, (v) => {
    const dy = `d[${Z}][${Y}][${sum(product(head, values), v)}]`;
    source.set(met, `${met} + starts[${Z}][${chunkText(scan)}][${X} * ${values} + ${v}] * ${dy}`);
  });
  return plan.run({
    label: `${label} met`,
    dims: [heads * keys, frames, items],
    inputs: { starts, d: dOutput },
    body: source.body(met),
  });
}

/** Λ v, zero in the last chunk. */
function askedOf({ plan, label }: BackwardCall, scan: Scan, owed: Tensor): Tensor {
  const { heads, keys, values, rank, frames, items } = scan;
  const source = new Source();
  const [outer, key] = apart(source, X, keys);
  const [head, r] = apart(source, outer, rank);
  const asked = source.variable('asked', ZERO);
  source.times('v', values, (v) => {
    const value = scan.read('v', head, sum(product(r, values), v));
    source.set(asked, `${asked} + ${owedText(scan, head, key, v)} * ${value}`);
  });
  return plan.run({
    label: `${label} asked`,
    dims: [heads * rank * keys, frames, items],
    inputs: { owed, v: scan.tensor('v') },
    body: source.body(asked),
  });
}

const whereKept = (inside: Tensor | undefined): Readonly<Record<string, Tensor>> =>
  inside ? { kept: inside } : {};

/** `body` for every frame t of the chunk that reads out a state which frame `place` has entered. */
function forReaders(source: Source, scan: Scan, body: (t: string) => void): void {
  const { chunk, before, frames } = scan;
  source.times('i', chunk, (i) => {
    const t = frameAt(scan, i);
    source.when(`${i} >= ${placeText(scan)} + ${before} && ${t} < ${frames}`, () => body(t));
  });
}

/** P(last, t) at the thread's frame t; only read where a chunk follows, so that this one is whole. */
const leftAtEnd = (scan: Scan, head: string, key: string): string =>
  kept(scan, frameAt(scan, `${scan.chunk - 1}`), `(${placeText(scan)} + 1)`, head, key);

/** H × K */
function queries({ plan, label }: BackwardCall, { scan, inside, products, met }: Parts): Tensor {
  const { heads, keys, rank, before, chunk, frames, items } = scan;
  const source = new Source();
  const [head, key] = apart(source, X, keys);
  const dq = source.variable('dq', ZERO);
  if (met) {
    const through = entered(source, scan, { head, key, frame: Y, place: placeText(scan) });
    source.set(dq, multiply(through, `met[${Z}][${Y}][${X}]`));
  }
  source.times('s', chunk, (s) => {
    source.when(isPast(scan, s), () => {
      const left = source.let('left', kept(scan, `${Y} - ${before}`, `(${s} + 1)`, head, key));
      source.times('r', rank, (r) => {
        const k = scan.read('k', head, sum(product(r, keys), key), frameAt(scan, s));
        const g = `products[${Z}][${Y}][${pairPlace(scan, s, r, head)}]`;
        source.set(dq, `${dq} + ${multiply(left, `${k} * ${g}`)}`);
      });
    });
  });
  return plan.run({
    label: `${label} dq`,
    dims: [heads * keys, frames, items],
    inputs: { k: scan.tensor('k'), products, ...whereKept(inside), ...(met ? { met } : {}) },
    body: source.body(dq),
  });
}

/** H × R × K */
function keysOf({ plan, label }: BackwardCall, { scan, inside, products, asked }: Parts): Tensor {
  const { heads, keys, rank, before, chunks, frames, items } = scan;
  const source = new Source();
  const [outer, key] = apart(source, X, keys);
  const [head, r] = apart(source, outer, rank);
  const dk = source.variable('dk', ZERO);
  if (asked) {
    source.when(`${chunkText(scan)} < ${chunks - 1}`, () =>
      source.set(dk, multiply(leftAtEnd(scan, head, key), `asked[${Z}][${Y}][${X}]`)),
    );
  }
  forReaders(source, scan, (t) => {
    const left = kept(scan, `${t} - ${before}`, `(${placeText(scan)} + 1)`, head, key);
    const g = `products[${Z}][${t}][${pairPlace(scan, placeText(scan), r, head)}]`;
    source.set(dk, `${dk} + ${multiply(left, `${scan.read('q', head, key, t)} * ${g}`)}`);
  });
  return plan.run({
    label: `${label} dk`,
    dims: [heads * rank * keys, frames, items],
    inputs: { q: scan.tensor('q'), products, ...whereKept(inside), ...(asked ? { asked } : {}) },
    body: source.body(dk),
  });
}

/** H × R × V */
function valuesOf({ plan, label, dOutput }: BackwardCall, { scan, inside, scores, owed }: Parts): Tensor {
  const { heads, keys, values, rank, chunks, frames, items } = scan;
  const source = new Source();
  const [outer, value] = apart(source, X, values);
  const [head, r] = apart(source, outer, rank);
  const dv = source.variable('dv', ZERO);
  if (owed) {
    source.when(`${chunkText(scan)} < ${chunks - 1}`, () =>
      source.times('k', keys, (k) => {
        const key = scan.read('k', head, sum(product(r, keys), k));
        const one = `${key} * ${owedText(scan, head, k, value)}`;
        source.set(dv, `${dv} + ${multiply(leftAtEnd(scan, head, k), one)}`);
      }),
    );
  }
  forReaders(source, scan, (t) => {
    const score = `scores[${Z}][${t}][${pairPlace(scan, placeText(scan), r, head)}]`;
    source.set(dv, `${dv} + ${score} * d[${Z}][${t}][${sum(product(head, values), value)}]`);
  });
  return plan.run({
    label: `${label} dv`,
    dims: [heads * rank * values, frames, items],
    inputs: {
      d: dOutput,
      scores,
      ...(owed ? { owed, k: scan.tensor('k'), ...whereKept(inside) } : {}),
    },
    body: source.body(dv),
  });
}

/** The thread's decay: its head, and `body` for every key that it is of. */
function forKeys(
  source: Source,
  { decays, keys }: Scan,
  number: string,
): readonly [head: string, each: (body: (key: string) => void) => void] {
  if (decays === 1) return [number, (body) => source.times('k', keys, body)];
  const [head, key] = apart(source, number, keys);
  return [head, (body) => body(key)];
}

/** H × D */
function decaysOf(call: BackwardCall, parts: Parts): Tensor {
  const { plan, label } = call;
  const { scan, inside, starts, owed, met, asked } = parts;
  const { heads, before, chunk, chunks, frames, items } = scan;
  const width = heads * scan.decays;
  const pairs = pairsOf(call, parts);
  const far =
    met && asked && starts && owed
      ? {
          read: readMet(call, scan, met),
          written: writtenAsked(call, scan, asked),
          whole: wholeOf(call, scan, starts, owed),
        }
      : undefined;

  const source = new Source();
  const [head, key] = scan.decays > 1 ? apart(source, X, scan.keys) : [X, ZERO];
  const place = placeText(scan);
  const through = enteredBefore(source, scan, { head, key, frame: Y, place });
  const left = (s: string): string => kept(scan, `${Y} - 1`, `(${s} + 1)`, head, key);
  const dw = source.variable('dw', ZERO);
  const own = source.variable('own', ZERO);
  const forPast = (term: (s: string) => string): void =>
    source.times('s', chunk, (s) => {
      source.breakWhen(`${s} >= ${place}`);
      source.set(own, `${own} + ${left(s)} * ${term(s)}`);
    });
  if (far) {
    source.when(`${chunkText(scan)} < ${chunks - 1}`, () => {
      source.set(own, `${through} * whole[${Z}][${chunkText(scan)}][${X}]`);
      forPast((s) => `written[${Z}][${frameAt(scan, s)}][${X}]`);
      source.set(dw, `${leftAtEnd(scan, head, key)} * ${own}`);
    });
  }
  forReaders(source, scan, (t) => {
    source.set(own, far ? `${through} * read[${Z}][${t}][${X}]` : ZERO);
    forPast((s) => `pairs[${Z}][${t}][${s} * ${width} + ${X}]`);
    source.set(dw, `${dw} + ${kept(scan, `${t} - ${before}`, `(${place} + 1)`, head, key)} * ${own}`);
  });
  return plan.run({
    label: `${label} dw`,
    dims: [width, frames, items],
    inputs: { pairs, kept: inside!, ...far },
    body: source.body(dw),
  });
}

/** Σₖ Σᵣ q[t] k[s, r] g[t, s, r] over the keys of a decay. */
function pairsOf({ plan, label }: BackwardCall, { scan, products }: Parts): Tensor {
  const { heads, keys, rank, decays, chunk, frames, items } = scan;
  const source = new Source();
  const [s, number] = apart(source, X, heads * decays);
  const [head, each] = forKeys(source, scan, number);
  const pair = source.variable('pair', ZERO);
  source.when(isPast(scan, s), () =>
    source.times('r', rank, (r) => {
      const score = source.variable('score', ZERO);
      each((key) => {
        const k = scan.read('k', head, sum(product(r, keys), key), frameAt(scan, s));
        source.set(score, `${score} + ${scan.read('q', head, key)} * ${k}`);
      });
      source.set(pair, `${pair} + ${score} * products[${Z}][${Y}][${pairPlace(scan, s, r, head)}]`);
    }),
  );
  return plan.run({
    label: `${label} pairs`,
    dims: [chunk * heads * decays, frames, items],
    inputs: { q: scan.tensor('q'), k: scan.tensor('k'), products },
    body: source.body(pair),
  });
}

/** Σₖ q (S₀ dy) over the keys of a decay. */
function readMet({ plan, label }: BackwardCall, scan: Scan, met: Tensor): Tensor {
  const { heads, keys, decays, frames, items } = scan;
  const source = new Source();
  const [head, each] = forKeys(source, scan, X);
  const all = source.variable('all', ZERO);
  each((key) => {
    const one = `met[${Z}][${Y}][${sum(product(head, keys), key)}]`;
    source.set(all, `${all} + ${scan.read('q', head, key)} * ${one}`);
  });
  return plan.run({
    label: `${label} read`,
    dims: [heads * decays, frames, items],
    inputs: { q: scan.tensor('q'), met },
    body: source.body(all),
  });
}

/** Σₖ Σᵣ k (Λ v) over the keys of a decay. */
function writtenAsked({ plan, label }: BackwardCall, scan: Scan, asked: Tensor): Tensor {
  const { heads, keys, rank, decays, frames, items } = scan;
  const source = new Source();
  const [head, each] = forKeys(source, scan, X);
  const all = source.variable('all', ZERO);
  source.times('r', rank, (r) =>
    each((key) => {
      const one = `asked[${Z}][${Y}][${sum(product(sum(product(head, rank), r), keys), key)}]`;
      source.set(all, `${all} + ${scan.read('k', head, sum(product(r, keys), key))} * ${one}`);
    }),
  );
  return plan.run({
    label: `${label} written`,
    dims: [heads * decays, frames, items],
    inputs: { k: scan.tensor('k'), asked },
    body: source.body(all),
  });
}

/** Σₖ Σᵥ Λ S₀ of a chunk over the keys of a decay; row c that of chunk c. */
function wholeOf({ plan, label }: BackwardCall, scan: Scan, starts: Tensor, owed: Tensor): Tensor {
  const { heads, keys, values, decays, chunks, items } = scan;
  const source = new Source();
  const [head, each] = forKeys(source, scan, X);
  const all = source.variable('all', ZERO);
  each((key) =>
    source.times('v', values, (v) => {
      const place = `(${sum(product(head, keys), key)}) * ${values} + ${v}`;
      source.set(all, `${all} + starts[${Z}][${Y}][${place}] * owed[${Z}][${chunks - 1} - ${Y}][${place}]`);
    }),
  );
  return plan.run({
    label: `${label} whole`,
    dims: [heads * decays, chunks, items],
    inputs: { starts, owed },
    body: source.body(all),
  });
}
