/**
 * A contracted scan whose coefficients and read-out stand still: three passes over chunks of T frames, none of which
 * writes a trajectory of states.
 *
 *     S[k] = Σ_s Āˢ B̄ u[kT + T−1−s]                      what a chunk adds to the state at its end
 *     x₀[k+1] = Āᵀ x₀[k] + S[k]                             carries
 *     y[kT+s] = Σ_{l ≤ s} K[l] u[kT+s−l] + Re Σₙ c Āˢ⁺¹ x₀[k]
 *
 * The way back is the same in reversed time. With λ[k] the gradient that reaches chunk k − 1's end,
 *
 *     λ[k] = Σ_s conj(c Āˢ⁺¹) dy[kT+s] + conj(Āᵀ) λ[k+1]
 *     du[kT+s] = Σ_{s+l < T} K[l] dy[kT+s+l] + Re Σₙ conj(Āᵀ⁻¹⁻ˢ B̄) λ[k+1]
 *     dK[l] = Σ dy[kT+s] u[kT+s−l],   d(Āˢ B̄) = Σ λ[k+1] u[kT+T−1−s],   d(c Āˢ⁺¹) = Σ dy[kT+s] conj(x₀[k])
 *     dĀᵀ = Σ λ[k+1] conj(x₀[k])
 *
 * from which the gradients of the operands follow by the chain rule over tables of T rows.
 */
import type { ScanRole } from '../../../../../ops/diagonal-scan.ts';
import {
  ZERO,
  add,
  conjugate,
  multiply,
  plus,
  realOfProduct,
  scale,
  times,
  type Complex,
} from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { BackwardCall, ForwardCall } from '../../kernels.ts';
import { sumRows } from '../../sums.ts';
import { X, Y, Z, type Tensor } from '../../tensor.ts';
import { carry, decayOver } from './carries.ts';
import { coefficients, logDecaySlope, slopes } from './coefficients.ts';
import { operandInputs, operandPair, operandText, rowsAndColumns, scanOf, type Scan } from './operands.ts';
import { choosePart, laneEntry, placeOf, stillTables, type Tables } from './tables.ts';

const CHUNK = 64;

/** The thread's chunk, and its place in it, as whole numbers. */
const CHUNK_AND_PLACE = [`(${Y} >> ${Math.log2(CHUNK)})`, `(${Y} & ${CHUNK - 1})`] as const;

/**
 * Whether a scan has this form. A real recurrence by e^z alone never turns negative, which `rate` can't say; and where Ā
 * itself is given, its logarithm would lose more than the walk.
 */
export function isStill(scan: Scan): boolean {
  const { attributes, position, complex } = scan;
  return (
    position.c !== undefined &&
    position.uIm === undefined &&
    attributes.method.family.kind !== 'given' &&
    (complex || attributes.method.family.kind === 'exponential') &&
    attributes.roles.every((role) => role === 'u' || !scan.varies(role))
  );
}

export function stillForward(call: ForwardCall, save: (name: string, tensor: Tensor) => void): Tensor {
  const { plan, label, dims } = call;
  const scan = scanOf(call);
  const { channels, states, lanes, parts, frames, items } = scan;
  const tables = stillTables(call, CHUNK);
  for (const [name, value] of Object.entries(tables))
    if (typeof value === 'object') save(name, value as Tensor);
  const u = scan.tensor('u')!;
  const chunks = Math.ceil(frames / CHUNK);
  let starts: Tensor | undefined;
  if (chunks > 1) {
    const source = new Source();
    const { h } = placeOf(source, scan);
    const sum = source.variable('sum', ZERO);
    source.times('s', CHUNK, (s) =>
      source.set(sum, `${sum} + into[0][${CHUNK - 1} - ${s}][${X}] * u[${Z}][${Y} * ${CHUNK} + ${s}][${h}]`),
    );
    const sums = plan.run({
      label: `${label} chunk states`,
      dims: [parts * lanes, chunks - 1, items],
      inputs: { into: tables.into, u },
      body: source.body(sum),
    });
    starts = carry({ ...call, label: `${label} carries` }, scan, tables.rate, sums, CHUNK, false);
    save('starts', starts);
  }
  const source = new Source();
  const [chunk, s] = CHUNK_AND_PLACE;
  const y = source.variable('y', ZERO);
  source.times('l', CHUNK, (l) => {
    source.breakWhen(`${l} > ${s}`);
    source.set(y, `${y} + response[0][${l}][${X}] * u[${Z}][${Y} - ${l}][${X}]`);
  });
  if (starts)
    readStart(source, scan, states, channels, y, { weights: 'outOf', row: s, starts: 'starts', chunk });
  return plan.run({
    label: `${label} outputs`,
    dims,
    inputs: { u, response: tables.response, ...(starts ? { outOf: tables.outOf, starts } : {}) },
    body: source.body(y),
  });
}

/** y ← y + Re Σₙ w x₀, or conj(w) where `conjugated`. */
function readStart(
  source: Source,
  scan: Scan,
  states: number,
  channels: number,
  y: string,
  names: { weights: string; row: string; starts: string; chunk: string; conjugated?: boolean },
): void {
  const { weights, row, starts, chunk, conjugated } = names;
  source.times('n', states, (n) => {
    const lane = `${n} * ${channels} + ${X}`;
    const w = laneEntry(source, scan, weights, lane, row);
    const x: Complex = [
      source.let('x', `${starts}[${Z}][${chunk}][${lane}]`),
      scan.complex ? source.let('x', `${starts}[${Z}][${chunk}][${lane} + ${scan.lanes}]`) : ZERO,
    ];
    source.set(y, add(y, realOfProduct(conjugated ? conjugate(w) : w, x)));
  });
}

export function stillAdjoint(call: BackwardCall): void {
  const { plan, label, dims, dOutput, saved, wanted, give } = call;
  const scan = scanOf(call);
  const { channels, states, lanes, parts, frames, items } = scan;
  const tables = Object.fromEntries(saved) as unknown as Tables & { readonly starts?: Tensor };
  const chunks = Math.ceil(frames / CHUNK);
  const ragged = chunks * CHUNK !== frames;
  const u = scan.tensor('u')!;

  // λ[k+1] of chunk k stands at chunks − 1 − k: the carries run backwards.
  let owed: Tensor | undefined;
  if (chunks > 1) {
    const source = new Source();
    const { h, part } = placeOf(source, scan);
    const chunk = `(${chunks - 1} - ${Y})`;
    const sum = source.variable('sum', ZERO);
    source.times('s', CHUNK, (s) => {
      const frame = `(${chunk} * ${CHUNK} + ${s})`;
      const add1 = (): void => source.set(sum, `${sum} + outOf[0][${s}][${X}] * d[${Z}][${frame}][${h}]`);
      if (ragged) source.when(`${frame} < ${frames}`, add1);
      else add1();
    });
    const sums = plan.run({
      label: `${label} chunk states`,
      dims: [parts * lanes, chunks - 1, items],
      inputs: { outOf: tables.outOf, d: dOutput },
      body: source.body(scan.complex ? `${sum} * (1 - 2 * ${part})` : sum),
    });
    owed = carry({ ...call, label: `${label} carries` }, scan, tables.rate, sums, CHUNK, true);
  }

  if (wanted(scan.position.u!)) {
    const source = new Source();
    const [chunk, s] = CHUNK_AND_PLACE;
    const du = source.variable('du', ZERO);
    source.times('l', CHUNK, (l) => {
      source.breakWhen(`${l} + ${s} > ${CHUNK - 1}`);
      const add1 = (): void => source.set(du, `${du} + response[0][${l}][${X}] * d[${Z}][${Y} + ${l}][${X}]`);
      if (ragged) source.breakWhen(`${Y} + ${l} >= ${frames}`);
      add1();
    });
    if (owed) {
      const names = {
        weights: 'into',
        row: `(${CHUNK - 1} - ${s})`,
        starts: 'owed',
        chunk: `(${chunks - 1} - ${chunk})`,
        conjugated: true,
      };
      readStart(source, scan, states, channels, du, names);
    }
    give(
      scan.position.u!,
      plan.run({
        label: `${label} inputs`,
        dims: [channels, dims[1]!, dims[2]!],
        inputs: { d: dOutput, response: tables.response, ...(owed ? { into: tables.into, owed } : {}) },
        body: source.body(du),
      }),
    );
  }
  const asked = scan.attributes.roles.filter((role, i) => role !== 'u' && wanted(i));
  if (asked.length === 0) return;
  const tableGradients = gradientsOfTables(call, scan, tables, owed, u);
  const laneGradients = gradientsOfLanes(call, scan, tables, tableGradients);
  for (const role of asked) give(scan.position[role]!, operandGradient(call, scan, role, laneGradients));
}

interface TableGradients {
  readonly dResponse: Tensor;
  readonly dInto: Tensor | undefined;
  readonly dOutOf: Tensor | undefined;
  /** conj of the carries' part: d ln Ā of Āᵀ alone, already multiplied by T conj(Āᵀ). */
  readonly dCarry: Tensor | undefined;
}

/** Threads that a sum over chunks is shared out over, where there are so many chunks: enough to fill a large device. */
const THREADS = 2 ** 21;

/** Sums over all chunks of all items of products, element by element of the tables. */
function gradientsOfTables(
  call: BackwardCall,
  scan: Scan,
  tables: Tables & { readonly starts?: Tensor },
  owed: Tensor | undefined,
  u: Tensor,
): TableGradients {
  const { plan, label, dOutput } = call;
  const { channels, lanes, parts, frames, items, complex } = scan;
  const chunks = Math.ceil(frames / CHUNK);
  const ragged = chunks * CHUNK !== frames;

  /** Σ over chunks of all items of what `term` adds to the accumulator; a slice takes some neighbouring chunks. */
  const overChunks = (
    what: string,
    width: number,
    inputs: Readonly<Record<string, Tensor>>,
    count: number,
    write: (source: Source) => { term: (item: string, chunk: string, sum: string) => void; sign?: string },
  ): Tensor => {
    const wished = Math.ceil(THREADS / (width * CHUNK));
    const each = Math.ceil(count / Math.min(count, wished));
    const stretches = Math.ceil(count / each);
    // Items are shared out by powers of two, so that a slice's number comes apart in whole numbers.
    let bits = 0;
    while (stretches << bits < wished && 1 << bits < items) bits++;
    const perSlice = Math.ceil(items / (1 << bits));
    const slices = stretches << bits;
    const source = new Source();
    const { term, sign } = write(source);
    const sum = source.variable('sum', ZERO);
    source.times('i', perSlice, (i) => {
      const item = bits === 0 ? i : `((${Z} & ${(1 << bits) - 1}) * ${perSlice} + ${i})`;
      if (perSlice << bits !== items) source.breakWhen(`${item} >= ${items}`);
      const own = source.variable('own', ZERO);
      source.times('m', each, (m) => {
        const chunk = `(${bits === 0 ? Z : `(${Z} >> ${bits})`} * ${each} + ${m})`;
        if (each * stretches !== count) source.breakWhen(`${chunk} >= ${count}`);
        term(item, chunk, own);
      });
      source.set(sum, `${sum} + ${own}`);
    });
    const partial = plan.run({
      label: `${label} ${what}`,
      dims: [width, CHUNK, slices],
      inputs,
      body: source.body(sign ? `${sum} * ${sign}` : sum),
    });
    if (slices === 1) return partial;
    return plan.run({
      label: `${label} ${what}`,
      dims: [width, CHUNK, 1],
      inputs: { partial },
      body: `let sum = 0;\nfor (let i = 0; i < ${slices}; i++) { sum += partial[i][${Y}][${X}]; }\nreturn sum;`,
    });
  };

  const dResponse = overChunks('dK', channels, { d: dOutput, u }, chunks, (source) => ({
    term: (item, k, sum) =>
      source.times('s', CHUNK, (s) => {
        source.breakWhen(`${s} + ${Y} > ${CHUNK - 1}`);
        const frame = `(${k} * ${CHUNK} + ${s})`;
        if (ragged) source.breakWhen(`${frame} + ${Y} >= ${frames}`);
        source.set(sum, `${sum} + d[${item}][${frame} + ${Y}][${X}] * u[${item}][${frame}][${X}]`);
      }),
  }));
  if (!owed || !tables.starts) {
    return { dResponse, dInto: undefined, dOutOf: undefined, dCarry: undefined };
  }
  const dInto = overChunks('dE', parts * lanes, { owed, u }, chunks - 1, (source) => {
    const { h } = placeOf(source, scan);
    return {
      term: (item, k, sum) =>
        source.set(
          sum,
          `${sum} + owed[${item}][${chunks - 1} - ${k}][${X}] * u[${item}][${k} * ${CHUNK} + ${CHUNK - 1} - ${Y}][${h}]`,
        ),
    };
  });
  const dOutOf = overChunks(
    'dW',
    parts * lanes,
    { starts: tables.starts, d: dOutput },
    chunks - 1,
    (source) => {
      const { h, part } = placeOf(source, scan);
      return {
        // The first chunk starts from 0.
        term: (item, k, sum) => {
          const frame = `(${k} * ${CHUNK} + ${CHUNK} + ${Y})`;
          const add1 = (): void =>
            source.set(sum, `${sum} + starts[${item}][${k} + 1][${X}] * d[${item}][${frame}][${h}]`);
          if (ragged) source.when(`${frame} < ${frames}`, add1);
          else add1();
        },
        ...(complex ? { sign: `(1 - 2 * ${part})` } : {}),
      };
    },
  );

  // Σ conj(x₀[k]) λ[k+1]: real parts and imaginary parts cross over.
  const J = lanes;
  const other = complex ? `(${X} < ${J} ? ${X} + ${J} : ${X} - ${J})` : X;
  const lane = complex ? `(${X} < ${J} ? ${X} : ${X} - ${J})` : X;
  const crossed = sumRows(plan, {
    label: `${label} dQ`,
    width: parts * lanes,
    frames: chunks - 1,
    items,
    inputs: { starts: tables.starts, owed },
    before: complex
      ? `const other = ${other};\nconst lane = ${lane};\nconst sign = ${X} < ${J} ? 1 : 0 - 1;\n`
      : '',
    term: (k, item) => {
      const row = `owed[${item}][${chunks - 1} - ${k}]`;
      const start = `starts[${item}][${k}]`;
      if (!complex) return `${start}[${X}] * ${row}[${X}]`;
      return `(${start}[lane] * ${row}[${X}] + sign * ${start}[lane + ${J}] * ${row}[other])`;
    },
  });
  const decay = decayOver(call, scan, tables.rate, CHUNK);
  const source = new Source();
  const place = placeOf(source, scan);
  const q = laneEntry(source, scan, 'decay', place.lane);
  const whole: Complex = [source.let('q', `${q[0]} + 1`), q[1]];
  const dQ = laneEntry(source, scan, 'crossed', place.lane);
  const dCarry = plan.run({
    label: `${label} coefficients`,
    dims: [parts * lanes],
    inputs: { decay, crossed },
    body: source.body(
      choosePart(
        source,
        scan,
        place.part,
        source.letComplex('chained', scale(`${CHUNK}`, times(conjugate(whole), dQ))),
      ),
    ),
  });
  return { dResponse, dInto, dOutOf, dCarry };
}

interface LaneGradients {
  /** With respect to ln Ā, B̄ and c; parts × J. */
  readonly dRate: Tensor;
  readonly dInput: Tensor;
  readonly dReadOut: Tensor;
}

/** From the tables' rows to the lanes' ln Ā, B̄ and c. */
function gradientsOfLanes(
  { plan, label }: BackwardCall,
  scan: Scan,
  tables: Tables,
  { dResponse, dInto, dOutOf, dCarry }: TableGradients,
): LaneGradients {
  const { lanes, parts } = scan;
  const perLane = (
    inputs: Readonly<Record<string, Tensor>>,
    before: (source: Source, lane: string) => Complex,
    row: (source: Source, lane: string, h: string, l: string) => Complex,
  ): Tensor => {
    const source = new Source();
    const { part, lane, h } = placeOf(source, scan);
    const sum = source.complexVariable('sum', scan.complex);
    source.setComplex(sum, before(source, lane));
    source.times('l', CHUNK, (l) => source.setComplex(sum, plus(sum, row(source, lane, h, l))));
    return plan.run({
      label: `${label} coefficients`,
      dims: [parts * lanes],
      inputs,
      body: source.body(choosePart(source, scan, part, sum)),
    });
  };
  const responseOf = (source: Source, h: string, l: string): string =>
    source.let('dk', `dResponse[0][${l}][${h}]`);
  const nothing = (): Complex => [ZERO, ZERO];

  const dRate = perLane(
    {
      dResponse,
      into: tables.into,
      readOut: tables.readOut,
      ...(dInto && dOutOf && dCarry ? { dInto, dOutOf, dCarry, outOf: tables.outOf } : {}),
    },
    (source, lane) => (dCarry ? laneEntry(source, scan, 'dCarry', lane) : nothing()),
    (source, lane, h, l) => {
      const e = laneEntry(source, scan, 'into', lane, l);
      const c = laneEntry(source, scan, 'readOut', lane);
      // d ln Ā of Āˡ is l times the power's own share.
      let gradient = scale(responseOf(source, h, l), conjugate(source.letComplex('ce', times(c, e))));
      if (dInto) gradient = plus(gradient, times(conjugate(e), laneEntry(source, scan, 'dInto', lane, l)));
      gradient = source.letComplex('row', scale(l, source.letComplex('row', gradient)));
      if (dOutOf) {
        const w = laneEntry(source, scan, 'outOf', lane, l);
        const share = times(conjugate(w), laneEntry(source, scan, 'dOutOf', lane, l));
        gradient = plus(gradient, scale(`(${l} + 1)`, source.letComplex('share', share)));
      }
      return source.letComplex('row', gradient);
    },
  );
  const dInput = perLane(
    { dResponse, powers: tables.powers, readOut: tables.readOut, ...(dInto ? { dInto } : {}) },
    nothing,
    (source, lane, h, l) => {
      const p = laneEntry(source, scan, 'powers', lane, l);
      const c = laneEntry(source, scan, 'readOut', lane);
      const gradient = scale(responseOf(source, h, l), conjugate(source.letComplex('cp', times(c, p))));
      if (!dInto) return gradient;
      return plus(gradient, times(conjugate(p), laneEntry(source, scan, 'dInto', lane, l)));
    },
  );
  const dReadOut = perLane(
    { dResponse, into: tables.into, powers: tables.powers, ...(dOutOf ? { dOutOf } : {}) },
    nothing,
    (source, lane, h, l) => {
      const e = laneEntry(source, scan, 'into', lane, l);
      const gradient = scale(responseOf(source, h, l), conjugate(e));
      if (!dOutOf) return gradient;
      const p = laneEntry(source, scan, 'powers', lane, source.let('next', `${l} + 1`));
      return plus(gradient, times(conjugate(p), laneEntry(source, scan, 'dOutOf', lane, l)));
    },
  );
  return { dRate, dInput, dReadOut };
}

/** From the lanes to an operand of (R × C), summed over the lanes that share an element. */
function operandGradient(
  call: BackwardCall,
  scan: Scan,
  role: ScanRole,
  { dRate, dInput, dReadOut }: LaneGradients,
): Tensor {
  const { plan, label } = call;
  const { channels, states } = scan;
  const { method } = scan.attributes;
  const [rows, columns] = rowsAndColumns(call, role);
  const source = new Source();
  const [row, column] = columns === 1 ? [X, ZERO] : source.split(X, columns);
  const sum = source.variable('sum', ZERO);
  const part = role.endsWith('Im') ? 1 : 0;
  const readsC = role === 'c' || role === 'cIm';
  source.times('i', channels / rows, (i) => {
    const h = source.let('h', add(multiply(row, `${channels / rows}`), i));
    source.times('j', columns === 1 ? states : 1, (j) => {
      const n = columns === 1 ? j : column;
      const lane = source.let('lane', `${n} * ${channels} + ${h}`);
      const share = (): string => {
        if (readsC) return laneEntry(source, scan, 'dReadOut', lane)[part];
        const place = { h, n };
        const dt = source.let('step', operandText(call, 'dt', place));
        const a = operandPair(call, 'a', place);
        const b = operandPair(call, 'b', place);
        const found = coefficients(source, method, dt, a);
        const dB = laneEntry(source, scan, 'dInput', lane);
        if (role === 'b' || role === 'bIm') {
          return times(source.letComplex('dtG', scale(dt, conjugate(found.gain))), dB)[part];
        }
        const dL = laneEntry(source, scan, 'dRate', lane);
        const { gainSlope } = slopes(source, method, found);
        const dz = source.letComplex(
          'dz',
          plus(
            times(conjugate(logDecaySlope(source, method, found)), dL),
            times(conjugate(source.letComplex('bSlope', scale(dt, times(b, gainSlope)))), dB),
          ),
        );
        if (role === 'a' || role === 'aIm') return multiply(dt, dz[part]);
        const gainB = source.letComplex('gainB', times(found.gain, b));
        return add(realOfProduct(conjugate(a), dz), realOfProduct(conjugate(gainB), dB));
      };
      source.set(sum, add(sum, share()));
    });
  });
  return plan.run({
    label: `${label} coefficients`,
    dims: [rows * columns],
    inputs: readsC ? { dReadOut } : { dRate, dInput, ...operandInputs(call, ['a', 'aIm', 'b', 'bIm', 'dt']) },
    body: source.body(sum),
  });
}
