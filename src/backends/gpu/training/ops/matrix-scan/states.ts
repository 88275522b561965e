/**
 * What chunks do to a head's matrix: the decays inside them, and the matrices at their borders in both directions,
 * through the tree of the diagonal scan, whose lanes are a matrix's elements.
 *
 * | symbol | name | dims |
 * | --- | --- | --- |
 * | P(t, s) | `kept` | [(C + 1) · H · D, frames, items], see `operands.ts` |
 * | P(last, first − 1) − 1 | `decays` | [H · D, chunks, items] |
 * | S[first − 1] | `starts` | [H · K · V, chunks, items] |
 * | Λ | `owed` | [H · K · V, chunks, items], row r that of chunk `chunks − 1 − r`: ∂L/∂S[last] through all later chunks |
 */
import { ZERO, multiply } from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { BackwardCall, ForwardCall } from '../../kernels.ts';
import { X, Y, Z, type Tensor } from '../../tensor.ts';
import { carryVarying } from '../diagonal-scan/varying-carries.ts';
import { apart, entered, frameAt, kept, placeText, product, sum, type Scan } from './operands.ts';

/** Products of decays inside chunks; undefined where there are none. */
export function keptInside({ plan, label }: ForwardCall, scan: Scan): Tensor | undefined {
  const { heads, decays, chunk, frames, items } = scan;
  if (decays === 0) return undefined;
  const source = new Source();
  const [j, number] = apart(source, X, heads * decays);
  const [head, key] = decays > 1 ? apart(source, number, decays) : [number, ZERO];
  const p = source.variable('p', '1');
  source.times('i', chunk, (i) => {
    source.when(`${i} >= ${j} && ${i} <= ${placeText(scan)}`, () =>
      source.set(p, multiply(p, scan.read('decay', head, key, frameAt(scan, i)))),
    );
  });
  return plan.run({
    label: `${label} decays`,
    dims: [(chunk + 1) * heads * decays, frames, items],
    inputs: { decay: scan.tensor('decay') },
    body: source.body(p),
  });
}

/** Less one, so that what hardly decays is not rounded to what does not. */
export function decaysOver({ plan, label }: ForwardCall, scan: Scan): Tensor | undefined {
  const { heads, decays, chunk, chunks, frames, items } = scan;
  if (decays === 0 || chunks === 1) return undefined;
  const source = new Source();
  const [head, key] = decays > 1 ? apart(source, X, decays) : [X, ZERO];
  const p = source.variable('p', ZERO);
  source.times('i', chunk, (i) => {
    const frame = `(${Y} * ${chunk} + ${i})`;
    source.when(`${frame} < ${frames}`, () => {
      const less = source.let('less', `${scan.read('decay', head, key, frame)} - 1`);
      source.set(p, `${p} + (${p} * ${less} + ${less})`);
    });
  });
  return plan.run({
    label: `${label} decays`,
    dims: [heads * decays, chunks, items],
    inputs: { decay: scan.tensor('decay') },
    body: source.body(p),
  });
}

/** Matrices at borders out of what each chunk adds; backward over chunks in reverse. */
function carried(
  call: ForwardCall,
  scan: Scan,
  decays: Tensor | undefined,
  sums: Tensor,
  backward: boolean,
): Tensor {
  const { heads, keys, values, chunks, items } = scan;
  const lanes = heads * keys * values;
  const each = scan.decays > 1 ? values : keys * values;
  const { plan, label } = call;
  const tensor = plan.formula({
    label,
    dims: [lanes, chunks, items],
    inputs: decays ? { p: decays } : {},
    text: decays ? `p[${Z}][${Y}][Math.floor((${X} + 0.5) / ${each})]` : ZERO,
  });
  const index = (q: string): string => (backward ? `${chunks - 1} - ${q}` : q);
  const shape = { complex: false, lanes, channels: 1, parts: 1 } as const;
  return carryVarying(
    { ...call, label: `${label} carries` },
    shape,
    { tensor, index, conjugated: false },
    sums,
  );
}

/** [head, key, value] of the thread's element of a matrix. */
function element(source: Source, { keys, values }: Scan): readonly [string, string, string] {
  const [row, value] = apart(source, X, values);
  const [head, key] = apart(source, row, keys);
  return [head, key, value];
}

/** S at the starts of chunks; undefined where there is but one. */
export function startsOf(
  call: ForwardCall,
  scan: Scan,
  decays: Tensor | undefined,
  inside: Tensor | undefined,
): Tensor | undefined {
  const { heads, keys, values, rank, chunk, chunks, items } = scan;
  if (chunks === 1) return undefined;
  const source = new Source();
  const [head, key, value] = element(source, scan);
  const x = source.variable('x', ZERO);
  source.times('s', chunk, (s) => {
    const frame = `(${Y} * ${chunk} + ${s})`;
    const left = kept(scan, `(${Y} * ${chunk} + ${chunk - 1})`, `(${s} + 1)`, head, key);
    source.times('r', rank, (r) => {
      const k = scan.read('k', head, sum(product(r, keys), key), frame);
      const v = scan.read('v', head, sum(product(r, values), value), frame);
      source.set(x, `${x} + ${multiply(left, `${k} * ${v}`)}`);
    });
  });
  const sums = call.plan.run({
    label: `${call.label} reduce`,
    dims: [heads * keys * values, chunks - 1, items],
    inputs: { k: scan.tensor('k'), v: scan.tensor('v'), ...(inside ? { kept: inside } : {}) },
    body: source.body(x),
  });
  return carried(call, scan, decays, sums, false);
}

/** Λ at the ends of chunks, in reverse; undefined where there is but one. */
export function owedOf(
  call: BackwardCall,
  scan: Scan,
  decays: Tensor | undefined,
  inside: Tensor | undefined,
): Tensor | undefined {
  const { heads, keys, values, chunk, chunks, frames, items } = scan;
  if (chunks === 1) return undefined;
  const source = new Source();
  const [head, key, value] = element(source, scan);
  const x = source.variable('x', ZERO);
  source.times('i', chunk, (i) => {
    const frame = `((${chunks - 1} - ${Y}) * ${chunk} + ${i})`;
    source.when(`${frame} < ${frames}`, () => {
      const through = entered(source, scan, { head, key, frame, place: i });
      const q = scan.read('q', head, key, frame);
      const dy = `d[${Z}][${frame}][${sum(product(head, values), value)}]`;
      source.set(x, `${x} + ${multiply(through, `${q} * ${dy}`)}`);
    });
  });
  const sums = call.plan.run({
    label: `${call.label} reduce`,
    dims: [heads * keys * values, chunks - 1, items],
    inputs: { q: scan.tensor('q'), d: call.dOutput, ...(inside ? { kept: inside } : {}) },
    body: source.body(x),
  });
  return carried(call, scan, decays, sums, true);
}
