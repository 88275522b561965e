/**
 * The states at the starts of chunks: x[0] = 0, x[p+1] = Q x[p] + S[p], through a tree of radix R. What R nodes do to a
 * state together is one node of the next level, with Q^R; the starts come back down the same way. Work and memory are
 * those of the first level.
 *
 * Source: Blelloch, "Prefix sums and their applications" (1990), §1.4.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | S | sums of the nodes | items × (nodes) × parts × J |
 * | Q − 1 | `decay` of a level | parts × J |
 */
import { ZERO, conjugate, plus, times, type Complex } from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { ForwardCall } from '../../kernels.ts';
import { Y, Z, type Tensor } from '../../tensor.ts';
import { lessOne } from './coefficients.ts';
import type { Scan } from './operands.ts';
import { choosePart, laneEntry, placeOf, rateEntry } from './tables.ts';

const RADIX = 16;

/**
 * @param sums of `starts − 1` nodes; `items × nodes × parts × J`
 * @param frames that a node stands for
 * @param backward whether Q is conjugated
 * @returns items × starts × parts × J
 */
export function carry(
  call: ForwardCall,
  scan: Scan,
  rate: Tensor,
  sums: Tensor,
  frames: number,
  backward: boolean,
): Tensor {
  const { plan, label } = call;
  const [width, nodes, items] = sums.dims as readonly [number, number, number];
  const starts = nodes + 1;
  const decay = decayOver(call, scan, rate, frames);
  const node = (source: Source, lane: string, q: string): Complex => {
    const index = source.let('place', q);
    return [
      source.let('sum', `sums[${Z}][${index}][${lane}]`),
      scan.complex ? source.let('sum', `sums[${Z}][${index}][${lane} + ${scan.lanes}]`) : ZERO,
    ];
  };
  const advance = (source: Source, x: Complex, q: Complex, s: Complex): void =>
    source.setComplex(x, plus(x, plus(times(q, x), s)));
  const multiplier = (source: Source, lane: string): Complex => {
    const q = laneEntry(source, scan, 'decay', lane);
    return backward ? source.letComplex('q', conjugate(q)) : q;
  };

  if (starts <= RADIX) {
    const source = new Source();
    const { part, lane } = placeOf(source, scan);
    const q = multiplier(source, lane);
    const x = source.complexVariable('x', scan.complex);
    source.times('i', nodes, (i) =>
      source.when(`${i} < ${Y}`, () => advance(source, x, q, node(source, lane, i))),
    );
    return plan.run({
      label,
      dims: [width, starts, items],
      inputs: { decay, sums },
      body: source.body(choosePart(source, scan, part, x)),
    });
  }

  const groups = Math.ceil(starts / RADIX);
  const combine = new Source();
  const here = placeOf(combine, scan);
  const q = multiplier(combine, here.lane);
  const sum = combine.complexVariable('x', scan.complex);
  combine.times('i', RADIX, (i) =>
    advance(combine, sum, q, node(combine, here.lane, `${Y} * ${RADIX} + ${i}`)),
  );
  const grouped = plan.run({
    label,
    dims: [width, groups - 1, items],
    inputs: { decay, sums },
    body: combine.body(choosePart(combine, scan, here.part, sum)),
  });
  const above = carry(call, scan, rate, grouped, frames * RADIX, backward);

  const expand = new Source();
  const { part, lane } = placeOf(expand, scan);
  const factor = multiplier(expand, lane);
  const group = expand.let('group', `Math.floor((${Y} + 0.5) / ${RADIX})`);
  const x = expand.complexVariable('x', scan.complex, [
    `above[${Z}][${group}][${lane}]`,
    scan.complex ? `above[${Z}][${group}][${lane} + ${scan.lanes}]` : ZERO,
  ]);
  expand.times('i', RADIX - 1, (i) => {
    const place = expand.let('place', `${group} * ${RADIX} + ${i}`);
    expand.when(`${place} < ${Y}`, () => advance(expand, x, factor, node(expand, lane, place)));
  });
  return plan.run({
    label,
    dims: [width, starts, items],
    inputs: { decay, sums, above },
    body: expand.body(choosePart(expand, scan, part, x)),
  });
}

/** Ā over so many frames, less 1: of full accuracy however slow the lane. */
export function decayOver({ plan, label }: ForwardCall, scan: Scan, rate: Tensor, frames: number): Tensor {
  const source = new Source();
  const { part, lane } = placeOf(source, scan);
  const { size, angle, angleLow } = rateEntry(source, scan, lane, `${frames}`);
  const decay = source.letComplex('decay', lessOne(source, [size, angle], angleLow));
  return plan.run({
    label,
    dims: [scan.parts * scan.lanes],
    inputs: { rate },
    body: source.body(choosePart(source, scan, part, decay)),
  });
}
