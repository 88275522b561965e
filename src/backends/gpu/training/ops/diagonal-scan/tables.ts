/**
 * What a scan whose coefficients stand still needs to know of them, computed on the device from its operands.
 *
 * | symbol | name | shape | |
 * | --- | --- | --- | --- |
 * | T | frames of a chunk | | |
 * | ln Ā | `rate` | 3 × J, or J | its real part; the leading 12 bits of its angle, and the rest |
 * | B̄ | `input` | parts × J | |
 * | c | `readOut` | parts × J | |
 * | Āˡ | `powers` | (T + 1) × parts × J | e^{l ln Ā}: no error builds up from power to power |
 * | Āˢ B̄ | `into` | T × parts × J | what a frame s frames before a chunk's end adds to the state there |
 * | c Āˢ⁺¹ | `outOf` | T × parts × J | what a chunk's start adds to the output s frames later |
 * | Re Σₙ c Āˡ B̄ | `response` | T × H | the chunk's own kernel |
 */
import { ZERO, real, realOfProduct, scale, times, type Complex } from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { ForwardCall } from '../../kernels.ts';
import { X, Y, type Tensor } from '../../tensor.ts';
import { coefficients, logDecay } from './coefficients.ts';
import { operandInputs, operandPair, operandText, scanOf, type Scan } from './operands.ts';

export interface Tables {
  readonly chunk: number;
  readonly rate: Tensor;
  readonly input: Tensor;
  readonly readOut: Tensor;
  readonly powers: Tensor;
  readonly into: Tensor;
  readonly outOf: Tensor;
  readonly response: Tensor;
}

/** Where a thread of parts × J is: its part (0 or 1), lane number, state and channel. */
export interface Place {
  readonly part: string;
  readonly lane: string;
  readonly n: string;
  readonly h: string;
}

/** Where a thread of `rate` is. */
function logPlace(source: Source, { lanes, channels, complex }: Scan): Place {
  const [part, lane] = complex ? source.split(X, lanes) : [ZERO, X];
  const [n, h] = channels === 1 ? [lane, ZERO] : source.split(lane, channels);
  return { part, lane, n, h };
}

/** `times` ln Ā of a lane out of `rate`: the angle in two parts, of which the first is exact to 4096 times. */
export function rateEntry(
  source: Source,
  { lanes, complex }: Scan,
  lane: string,
  times: string,
): { readonly size: string; readonly angle: string; readonly angleLow: string } {
  const size = source.let('size', `rate[${lane}] * ${times}`);
  if (!complex) return { size, angle: ZERO, angleLow: ZERO };
  return {
    size,
    angle: source.let('angle', `rate[${lane} + ${lanes}] * ${times}`),
    angleLow: source.let('angleLow', `rate[${lane} + ${2 * lanes}] * ${times}`),
  };
}

export function placeOf(
  source: Source,
  { lanes, channels, parts }: Pick<Scan, 'lanes' | 'channels' | 'parts'>,
): Place {
  let [part, lane] = [ZERO, X];
  if (parts === 2) [part, lane] = source.split(X, lanes);
  const [n, h] = channels === 1 ? [lane, ZERO] : source.split(lane, channels);
  return { part, lane, n, h };
}

/** A lane's number out of an array of parts × J, at a row where it has any. */
export const laneEntry = (
  source: Source,
  { lanes, complex }: Scan,
  name: string,
  lane: string,
  row?: string,
): Complex => {
  const read = (index: string): string =>
    row === undefined ? `${name}[${index}]` : `${name}[0][${row}][${index}]`;
  return [source.let(name, read(lane)), complex ? source.let(name, read(`${lane} + ${lanes}`)) : ZERO];
};

/** Numbers of a state one behind the other, chosen by the thread's part. */
export const choosePart = (
  source: Source,
  { complex }: Pick<Scan, 'complex'>,
  part: string,
  [re, im]: Complex,
): string => (complex ? source.choose(part, [re, im]) : re);

export function stillTables(call: ForwardCall, chunk: number): Tables {
  const scan = scanOf(call);
  const { plan, label } = call;
  const { method } = scan.attributes;
  const { channels, states, lanes, parts } = scan;
  const width = parts * lanes;

  const perLane = (
    roles: Parameters<typeof operandInputs>[1],
    value: (source: Source, place: Place) => Complex,
  ): Tensor => {
    const source = new Source();
    const place = placeOf(source, scan);
    const result = choosePart(source, scan, place.part, value(source, place));
    return plan.run({ label, dims: [width], inputs: operandInputs(call, roles), body: source.body(result) });
  };
  const discretised = (source: Source, place: Place): { dt: string } & ReturnType<typeof coefficients> => {
    const dt = source.let('step', operandText(call, 'dt', place));
    return { dt, ...coefficients(source, method, dt, operandPair(call, 'a', place)) };
  };
  const logs = new Source();
  const at = logPlace(logs, scan);
  const { decay, dt: step } = discretised(logs, at);
  const log = logDecay(logs, method, step, operandPair(call, 'a', at), decay);
  const rate = plan.run({
    label,
    dims: [(scan.complex ? 3 : 1) * lanes],
    inputs: operandInputs(call, ['a', 'aIm', 'dt']),
    body: logs.body(scan.complex ? logs.choose(at.part, [log.size, log.angle, log.angleLow]) : log.size),
  });
  const input = perLane(['a', 'aIm', 'dt', 'b', 'bIm'], (source, place) => {
    const { dt, gain } = discretised(source, place);
    return source.letComplex('bBar', scale(dt, times(gain, operandPair(call, 'b', place))));
  });
  const readOut = perLane(['c', 'cIm'], (_, place) => operandPair(call, 'c', place));

  const raise = new Source();
  const here = placeOf(raise, scan);
  const { size, angle, angleLow } = rateEntry(raise, scan, here.lane, Y);
  const grown = raise.let('grown', `Math.exp(${size})`);
  const power: Complex =
    angle === ZERO
      ? real(grown)
      : [`${grown} * cosineOf(${angle}, ${angleLow})`, `${grown} * sineOf(${angle}, ${angleLow})`];
  const powers = plan.run({
    label,
    dims: [width, chunk + 1, 1],
    inputs: { rate },
    body: raise.body(choosePart(raise, scan, here.part, power)),
  });

  const product = (by: 'input' | 'readOut', table: Tensor, row: string): Tensor => {
    const source = new Source();
    const { part, lane } = placeOf(source, scan);
    const p = laneEntry(source, scan, 'powers', lane, row);
    const factor = laneEntry(source, scan, by, lane);
    return plan.run({
      label,
      dims: [width, chunk, 1],
      inputs: { powers, [by]: table },
      body: source.body(choosePart(source, scan, part, source.letComplex('product', times(p, factor)))),
    });
  };
  const into = product('input', input, Y);
  const outOf = product('readOut', readOut, `${Y} + 1`);

  const respond = new Source();
  const sum = respond.variable('sum', ZERO);
  respond.times('n', states, (n) => {
    const lane = `${n} * ${channels} + ${X}`;
    const e = laneEntry(respond, scan, 'into', lane, Y);
    const c = laneEntry(respond, scan, 'readOut', lane);
    respond.set(sum, `${sum} + ${realOfProduct(e, c)}`);
  });
  const response = plan.run({
    label,
    dims: [channels, chunk, 1],
    inputs: { into, readOut },
    body: respond.body(sum),
  });
  return { chunk, rate, input, readOut, powers, into, outOf, response };
}
