/**
 * The states at the starts of chunks where every chunk has a decay of its own: x[0] = 0, x[q+1] = P[q] x[q] + S[q],
 * through a tree of radix R as in `carries.ts`.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | P − 1, S | decay and sum of a node | items × nodes × parts × J |
 */
import { ZERO, conjugate, plus, times, type Complex } from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { ForwardCall } from '../../kernels.ts';
import { Y, Z, type Tensor } from '../../tensor.ts';
import type { Scan } from './operands.ts';
import { choosePart, placeOf } from './tables.ts';

const RADIX = 8;

/** The decays of nodes, which may stand in another order and be conjugated. */
export interface NodeDecays {
  readonly tensor: Tensor;
  readonly index: (node: string) => string;
  readonly conjugated: boolean;
}

/** @returns items × (nodes of `sums` + 1) × parts × J */
export function carryVarying(
  call: ForwardCall,
  scan: Pick<Scan, 'complex' | 'lanes' | 'channels' | 'parts'>,
  decays: NodeDecays,
  sums: Tensor,
): Tensor {
  const { plan, label } = call;
  const [width, nodes, items] = sums.dims as readonly [number, number, number];
  const starts = nodes + 1;
  const entry = (source: Source, name: string, lane: string, index: string): Complex => [
    source.let(name, `${name}[${Z}][${index}][${lane}]`),
    scan.complex ? source.let(name, `${name}[${Z}][${index}][${lane} + ${scan.lanes}]`) : ZERO,
  ];
  const decayOf = (source: Source, lane: string, q: string): Complex => {
    const found = entry(source, 'decays', lane, source.let('at', decays.index(q)));
    return decays.conjugated ? source.letComplex('conjugate', conjugate(found)) : found;
  };
  const advance = (source: Source, x: Complex, lane: string, q: string): void => {
    const decay = decayOf(source, lane, q);
    source.setComplex(x, plus(x, plus(times(decay, x), entry(source, 'sums', lane, q))));
  };
  const inputs = { decays: decays.tensor, sums };

  if (starts <= RADIX) {
    const source = new Source();
    const { part, lane } = placeOf(source, scan);
    const x = source.complexVariable('x', scan.complex);
    source.times('i', nodes, (i) => source.when(`${i} < ${Y}`, () => advance(source, x, lane, i)));
    return plan.run({
      label,
      dims: [width, starts, items],
      inputs,
      body: source.body(choosePart(source, scan, part, x)),
    });
  }

  const groups = Math.ceil(starts / RADIX);
  const combine = (
    write: (source: Source, lane: string, q: string, x: Complex) => void,
    more: object,
  ): Tensor => {
    const source = new Source();
    const { part, lane } = placeOf(source, scan);
    const x = source.complexVariable('x', scan.complex);
    source.times('i', RADIX, (i) => write(source, lane, source.let('q', `${Y} * ${RADIX} + ${i}`), x));
    return plan.run({
      label,
      dims: [width, groups - 1, items],
      inputs: { decays: decays.tensor, ...more },
      body: source.body(choosePart(source, scan, part, x)),
    });
  };
  const grouped = combine((source, lane, q, x) => advance(source, x, lane, q), { sums });
  // (1 + P)(1 + d) − 1 = P + (d P + d): decays compose like states.
  const composed = combine((source, lane, q, x) => {
    const decay = decayOf(source, lane, q);
    source.setComplex(x, plus(x, plus(times(decay, x), decay)));
  }, {});
  const above = carryVarying(call, scan, { tensor: composed, index: (q) => q, conjugated: false }, grouped);

  const expand = new Source();
  const { part, lane } = placeOf(expand, scan);
  const group = expand.let('group', `Math.floor((${Y} + 0.5) / ${RADIX})`);
  const x = expand.complexVariable('x', scan.complex, entry(expand, 'above', lane, group));
  expand.times('i', RADIX - 1, (i) => {
    const q = expand.let('q', `${group} * ${RADIX} + ${i}`);
    expand.when(`${q} < ${Y}`, () => advance(expand, x, lane, q));
  });
  return plan.run({
    label,
    dims: [width, starts, items],
    inputs: { ...inputs, above },
    body: expand.body(choosePart(expand, scan, part, x)),
  });
}
