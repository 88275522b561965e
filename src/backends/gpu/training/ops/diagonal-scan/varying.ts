/**
 * A scan in any form: coefficients that vary by frame, a state as output, complex inputs. Chunks of T frames: reduce
 * every chunk to what it does to a state, scan the carries, then walk from a chunk's start to the frame that is asked
 * for. No trajectory is written; a walk is at most T frames.
 *
 *     forward    x ← Ā[t] x + B̄[t] u[t]                                   from the chunk's start
 *     backward   λ[t] = e[t] + r,   r ← conj(Ā[t]) λ[t]                   from the chunk's end
 *
 * where e[t] = conj(c[t]) dy[t], or dx[t] where the output is the state. Gradients frame by frame:
 *
 *     dĀ = λ conj(x[t−1]),   dB̄ = λ conj(u),   dc = dy conj(x[t])
 *     dz = dĀ conj(f′) + dB̄ conj(dt b g′),   da = dt dz,   ddt = Re(dz conj a) + Re(dB̄ conj(g b)),   db = dB̄ conj(dt g)
 */
import type { ScanRole } from '../../../../../ops/diagonal-scan.ts';
import {
  ONE,
  ZERO,
  add,
  conjugate,
  multiply,
  plus,
  real,
  realOfProduct,
  scale,
  times,
  type Complex,
} from '../../../expression.ts';
import { Source } from '../../../source.ts';
import type { BackwardCall, ForwardCall } from '../../kernels.ts';
import { sumBlocks } from '../../sums.ts';
import { X, Y, Z, type Tensor } from '../../tensor.ts';
import { coefficients, slopes, type Coefficients } from './coefficients.ts';
import { operandInputs, operandPair, operandText, rowsAndColumns, scanOf, type Scan } from './operands.ts';
import { choosePart, placeOf } from './tables.ts';
import { carryVarying } from './varying-carries.ts';

/** Frames of a chunk: walks are short, and the carries are an eighth of a trajectory. */
const CHUNK = 8;

/** The thread's chunk, and its place in it, as whole numbers. */
const CHUNK_AND_PLACE = [`(${Y} >> ${Math.log2(CHUNK)})`, `(${Y} & ${CHUNK - 1})`] as const;

interface Lane {
  readonly h: string;
  readonly n: string;
}

const FORWARD: readonly ScanRole[] = ['u', 'uIm', 'a', 'aIm', 'b', 'bIm', 'dt'];
const DECAY: readonly ScanRole[] = ['a', 'aIm', 'dt'];
const ENTERING: readonly ScanRole[] = ['c', 'cIm'];

/** Ā − 1 and B̄ of a lane at a frame, and what they were made of. */
interface Motion extends Coefficients {
  readonly dt: string;
  readonly a: Complex;
}

function motionAt(call: ForwardCall, source: Source, lane: Lane, frame: string): Motion {
  const { method } = scanOf(call).attributes;
  const dt = source.let('step', operandText(call, 'dt', lane, frame));
  const a = source.letComplex('pole', operandPair(call, 'a', lane, frame));
  return { dt, a, ...coefficients(source, method, dt, a) };
}

const inputWeight = (
  call: ForwardCall,
  source: Source,
  { dt, gain }: Pick<Motion, 'dt' | 'gain'>,
  lane: Lane,
  frame: string,
): Complex => source.letComplex('bBar', scale(dt, times(gain, operandPair(call, 'b', lane, frame))));

/**
 * x ← Ā x + drive, and what the frame was made of. Over the few frames of a walk Ā itself is exact enough; `exact` takes
 * Ā − 1, for the carries, in which a slow lane's time constant has to survive.
 */
function advance(
  call: ForwardCall,
  source: Source,
  x: Complex,
  lane: Lane,
  frame: string,
  exact = false,
): void {
  const u = operandPair(call, 'u', lane, frame);
  const quick = exact ? undefined : quickMotion(call, source, lane, frame);
  if (quick) {
    const drive = times(inputWeight(call, source, quick, lane, frame), u);
    source.setComplex(x, plus(times(quick.aBar, x), source.letComplex('drive', drive)));
    return;
  }
  const motion = motionAt(call, source, lane, frame);
  const drive = times(inputWeight(call, source, motion, lane, frame), u);
  source.setComplex(x, plus(x, plus(times(motion.decay, x), source.letComplex('drive', drive))));
}

/** Ā and g where neither needs Ā − 1. */
function quickMotion(
  call: ForwardCall,
  source: Source,
  lane: Lane,
  frame: string,
): { readonly dt: string; readonly aBar: Complex; readonly gain: Complex } | undefined {
  const { family } = scanOf(call).attributes.method;
  if (family.kind === 'rational' || (family.kind === 'exponential' && family.input === 'phi1'))
    return undefined;
  const dt = source.let('step', operandText(call, 'dt', lane, frame));
  const z = source.letComplex('z', scale(dt, operandPair(call, 'a', lane, frame)));
  if (family.kind === 'given') return { dt, aBar: z, gain: real(ONE) };
  const aBar = exponential(source, z);
  return { dt, aBar, gain: family.input === 'exp' ? aBar : real(ONE) };
}

const exponential = (source: Source, [re, im]: Complex): Complex => {
  const grown = source.let('grown', `Math.exp(${re})`);
  if (im === ZERO) return real(grown);
  return source.letComplex('aBar', [`${grown} * cosine(${im})`, `${grown} * sine(${im})`]);
};

/** Ā alone, for the way back. */
function quickDecay(call: ForwardCall, source: Source, lane: Lane, frame: string): Complex | undefined {
  const { family } = scanOf(call).attributes.method;
  if (family.kind === 'rational') return undefined;
  const dt = source.let('step', operandText(call, 'dt', lane, frame));
  const z = source.letComplex('z', scale(dt, operandPair(call, 'a', lane, frame)));
  return family.kind === 'given' ? z : exponential(source, z);
}

/** e[t]: the gradient that enters the scan at a frame. */
function entering(call: ForwardCall, source: Source, lane: Lane, frame: string): Complex {
  const scan = scanOf(call);
  if (scan.position.c !== undefined) {
    const dy = source.let('dy', `d[${Z}][${frame}][${lane.h}]`);
    return source.letComplex('entering', scale(dy, conjugate(operandPair(call, 'c', lane, frame))));
  }
  const element = add(multiply(lane.h, `${scan.states}`), lane.n);
  return [
    source.let('dx', `d[${Z}][${frame}][${element}]`),
    scan.complex ? source.let('dx', `d[${Z}][${frame}][${add(element, `${scan.lanes}`)}]`) : ZERO,
  ];
}

/** r ← conj(Ā) (r + e) */
function retreat(
  call: ForwardCall,
  source: Source,
  r: Complex,
  lane: Lane,
  frame: string,
  exact = false,
): void {
  const quick = exact ? undefined : quickDecay(call, source, lane, frame);
  const lambda = source.letComplex('lambda', plus(r, entering(call, source, lane, frame)));
  if (quick) {
    source.setComplex(r, times(conjugate(quick), lambda));
    return;
  }
  const { decay } = motionAt(call, source, lane, frame);
  source.setComplex(r, plus(lambda, times(source.letComplex('back', conjugate(decay)), lambda)));
}

const chunksOf = ({ frames }: Scan): number => Math.ceil(frames / CHUNK);

const laneNumber = ({ channels }: Scan, { h, n }: Lane): string => add(multiply(n, `${channels}`), h);

/** What a chunk began with, or in reverse ended with; nothing where there is but one chunk. */
function startOf(source: Source, scan: Scan, name: string, chunk: string, lane: Lane): Complex {
  if (chunksOf(scan) === 1) return [ZERO, ZERO];
  const at = source.let('at', laneNumber(scan, lane));
  return [
    source.let('start', `${name}[${Z}][${chunk}][${at}]`),
    scan.complex ? source.let('start', `${name}[${Z}][${chunk}][${at} + ${scan.lanes}]`) : ZERO,
  ];
}

/** Carries of either direction, the decays of all chunks being shared. */
interface Carries {
  readonly decays?: Tensor;
  readonly starts?: Tensor;
}

function reduce(
  call: ForwardCall,
  inputs: Readonly<Record<string, Tensor>>,
  count: number,
  chunkOf: string,
  write: (source: Source, x: Complex, lane: Lane, frame: string) => void,
  reversed = false,
): Tensor {
  const { plan, label } = call;
  const scan = scanOf(call);
  const { lanes, parts, items, frames } = scan;
  const source = new Source();
  const place = placeOf(source, scan);
  const x = source.complexVariable('x', scan.complex);
  const chunk = `(${chunkOf})`;
  source.times('s', CHUNK, (s) => {
    const within = reversed ? `${CHUNK - 1} - ${s}` : s;
    const frame = `(${chunk} * ${CHUNK} + ${within})`;
    source.when(`${frame} < ${frames}`, () => write(source, x, place, frame));
  });
  return plan.run({
    label: `${label} reduce`,
    dims: [parts * lanes, count, items],
    inputs,
    body: source.body(choosePart(source, scan, place.part, x)),
  });
}

function forwardCarries(call: ForwardCall): Carries {
  const scan = scanOf(call);
  const chunks = chunksOf(scan);
  if (chunks === 1) return {};
  const decays = reduce(call, operandInputs(call, DECAY), chunks, Y, (source, p, lane, frame) => {
    const { decay } = motionAt(call, source, lane, frame);
    source.setComplex(p, plus(p, plus(times(decay, p), decay)));
  });
  const sums = reduce(call, operandInputs(call, FORWARD), chunks - 1, Y, (source, x, lane, frame) => {
    advance(call, source, x, lane, frame, true);
  });
  const carried = { ...call, label: `${call.label} carries` };
  const starts = carryVarying(carried, scan, { tensor: decays, index: (q) => q, conjugated: false }, sums);
  return { decays, starts };
}

/** Row q of the carries backward stands at the end of chunk `chunks − 1 − q`. */
function backwardCarries(call: BackwardCall, decays: Tensor): Tensor {
  const scan = scanOf(call);
  const chunks = chunksOf(scan);
  const sums = reduce(
    call,
    { ...operandInputs(call, [...DECAY, ...ENTERING]), d: call.dOutput },
    chunks - 1,
    `${chunks - 1} - ${Y}`,
    (source, r, lane, frame) => retreat(call, source, r, lane, frame, true),
    true,
  );
  const carried = { ...call, label: `${call.label} carries` };
  const order = { tensor: decays, index: (q: string) => `${chunks - 1} - ${q}`, conjugated: true };
  return carryVarying(carried, scan, order, sums);
}

/** The state after a frame, walked from its chunk's start. */
function stateAfter(
  call: ForwardCall,
  source: Source,
  scan: Scan,
  lane: Lane,
  chunk: string,
  s: string,
): Complex {
  const x = source.complexVariable('x', scan.complex, startOf(source, scan, 'starts', chunk, lane));
  source.times('i', CHUNK, (i) => {
    source.breakWhen(`${i} > ${s}`);
    advance(call, source, x, lane, `(${chunk} * ${CHUNK} + ${i})`);
  });
  return x;
}

/** λ at a frame, walked from its chunk's end. */
function gradientAt(
  call: ForwardCall,
  source: Source,
  scan: Scan,
  lane: Lane,
  chunk: string,
  s: string,
): Complex {
  const row = `(${chunksOf(scan) - 1} - ${chunk})`;
  const r = source.complexVariable('r', scan.complex, startOf(source, scan, 'owed', row, lane));
  source.times('i', CHUNK, (i) => {
    const later = `(${CHUNK - 1} - ${i})`;
    source.breakWhen(`${later} <= ${s}`);
    const frame = `(${chunk} * ${CHUNK} + ${later})`;
    source.when(`${frame} < ${scan.frames}`, () => retreat(call, source, r, lane, frame));
  });
  const here = `(${chunk} * ${CHUNK} + ${s})`;
  return source.letComplex('lambda', plus(r, entering(call, source, lane, here)));
}

export function varyingForward(call: ForwardCall, save: (name: string, tensor: Tensor) => void): Tensor {
  const { plan, label, dims } = call;
  const scan = scanOf(call);
  const { decays, starts } = forwardCarries(call);
  if (decays) save('decays', decays);
  if (starts) save('starts', starts);
  const source = new Source();
  const [chunk, s] = CHUNK_AND_PLACE;
  const inputs = {
    ...operandInputs(call, [...FORWARD, ...ENTERING]),
    ...(starts ? { starts } : {}),
  };
  if (scan.position.c !== undefined) {
    const y = source.variable('y', ZERO);
    source.times('n', scan.states, (n) => {
      const lane = { h: X, n };
      const x = stateAfter(call, source, scan, lane, chunk, s);
      source.set(y, add(y, realOfProduct(operandPair(call, 'c', lane, Y), x)));
    });
    return plan.run({ label: `${label} outputs`, dims, inputs, body: source.body(y) });
  }
  const { lane, part } = stateElement(source, scan);
  const x = stateAfter(call, source, scan, lane, chunk, s);
  return plan.run({
    label: `${label} outputs`,
    dims,
    inputs,
    body: source.body(choosePart(source, scan, part, x)),
  });
}

/** Where a thread of the op's own order of states is: part, channel, state. */
function stateElement(source: Source, { lanes, states, complex }: Scan): { lane: Lane; part: string } {
  let [part, rest] = [ZERO, X];
  if (complex) [part, rest] = source.split(X, lanes);
  const [h, n] = source.split(rest, states);
  return { lane: { h, n }, part };
}

export function varyingAdjoint(call: BackwardCall): void {
  const { saved, wanted, give, dOutput } = call;
  const scan = scanOf(call);
  const decays = saved.get('decays');
  const starts = saved.get('starts');
  const owed = decays ? backwardCarries(call, decays) : undefined;
  const behind = { d: dOutput, ...(owed ? { owed } : {}) };
  const before = starts ? { starts } : {};
  scan.attributes.roles.forEach((role, i) => {
    if (!wanted(i)) return;
    const gradient = scan.varies(role)
      ? ofSignal(call, scan, role, behind, before)
      : ofConstant(call, scan, role, behind, before);
    give(i, gradient);
  });
}

/** Arrays that the gradient of a role reads. */
function inputsFor(
  call: ForwardCall,
  role: ScanRole,
  behind: Readonly<Record<string, Tensor>>,
  before: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  if (role === 'c' || role === 'cIm') {
    return { ...operandInputs(call, FORWARD), d: behind['d']!, ...before };
  }
  if (role === 'u' || role === 'uIm' || role === 'b' || role === 'bIm') {
    return { ...operandInputs(call, [...FORWARD, ...ENTERING]), ...behind };
  }
  return { ...operandInputs(call, [...FORWARD, ...ENTERING]), ...behind, ...before };
}

/** items × L × R × C: the sum over the lanes that share an element. */
function ofSignal(
  call: BackwardCall,
  scan: Scan,
  role: ScanRole,
  behind: Readonly<Record<string, Tensor>>,
  before: Readonly<Record<string, Tensor>>,
): Tensor {
  const { plan, label, dims } = call;
  const [rows, columns] = rowsAndColumns(call, role);
  const source = new Source();
  const [chunk, s] = CHUNK_AND_PLACE;
  const sum = source.variable('sum', ZERO);
  overLanes(source, scan, rows, columns, (lane) => {
    const share = (): string => {
      if (role === 'c' || role === 'cIm') {
        return readOutShare(source, role, lane, Y, stateAfter(call, source, scan, lane, chunk, s));
      }
      const lambda = gradientAt(call, source, scan, lane, chunk, s);
      if (!role.startsWith('a') && role !== 'dt') return laneShare(call, source, role, lane, Y, lambda);
      // The state that the frame found.
      const past = stateAfter(call, source, scan, lane, chunk, `(${s} - 1)`);
      return laneShare(call, source, role, lane, Y, lambda, past);
    };
    source.set(sum, add(sum, share()));
  });
  return plan.run({
    label: `${label} d${role}`,
    dims: [rows * columns, dims[1]!, dims[2]!],
    inputs: inputsFor(call, role, behind, before),
    body: source.body(sum),
  });
}

/** Chunks that a thread of a constant's gradient goes through. */
const CHUNKS = 16;

/** R × C: the sum over lanes, frames and items. */
function ofConstant(
  call: BackwardCall,
  scan: Scan,
  role: ScanRole,
  behind: Readonly<Record<string, Tensor>>,
  before: Readonly<Record<string, Tensor>>,
): Tensor {
  const { plan, label } = call;
  const { frames, items } = scan;
  const [rows, columns] = rowsAndColumns(call, role);
  const chunks = chunksOf(scan);
  const source = new Source();
  const sum = source.variable('sum', ZERO);
  overLanes(source, scan, rows, columns, (lane) =>
    source.times('k', Math.min(chunks, CHUNKS), (k) => {
      const chunk = `(${Y} * ${Math.min(chunks, CHUNKS)} + ${k})`;
      source.breakWhen(`${chunk} >= ${chunks}`);
      const x = source.complexVariable(
        'x',
        scan.complex,
        role === 'b' || role === 'bIm' ? [ZERO, ZERO] : startOf(source, scan, 'starts', chunk, lane),
      );
      source.times('s', CHUNK, (s) => {
        const frame = `(${chunk} * ${CHUNK} + ${s})`;
        source.breakWhen(`${frame} >= ${frames}`);
        if (role === 'c' || role === 'cIm') {
          advance(call, source, x, lane, frame);
          source.set(sum, add(sum, readOutShare(source, role, lane, frame, x)));
          return;
        }
        const lambda = gradientAt(call, source, scan, lane, chunk, s);
        if (role === 'b' || role === 'bIm') {
          source.set(sum, add(sum, laneShare(call, source, role, lane, frame, lambda)));
          return;
        }
        source.set(sum, add(sum, laneShare(call, source, role, lane, frame, lambda, x)));
        advance(call, source, x, lane, frame);
      });
    }),
  );
  const partial = plan.run({
    label: `${label} d${role}`,
    dims: [rows * columns, Math.ceil(chunks / Math.min(chunks, CHUNKS)), items],
    inputs: inputsFor(call, role, behind, before),
    body: source.body(sum),
  });
  return sumBlocks(plan, `${label} d${role}`, partial);
}

/** Every lane that shares the thread's element (row, column). */
function overLanes(
  source: Source,
  { channels, states }: Scan,
  rows: number,
  columns: number,
  body: (lane: Lane) => void,
): void {
  const [row, column] = columns === 1 ? [X, ZERO] : source.split(X, columns);
  const shared = channels / rows;
  const inChannel = (h: string): void => {
    if (columns === 1 && states > 1) source.times('n', states, (n) => body({ h, n }));
    else body({ h, n: columns === 1 ? ZERO : column });
  };
  if (shared === 1) inChannel(row);
  else source.times('i', shared, (i) => inChannel(source.let('h', add(multiply(row, `${shared}`), i))));
}

const readOutShare = (source: Source, role: ScanRole, lane: Lane, frame: string, x: Complex): string => {
  const dy = source.let('dy', `d[${Z}][${frame}][${lane.h}]`);
  return conjugate(scale(dy, x))[role === 'c' ? 0 : 1];
};

/** What a lane adds to the gradient of a role at a frame. */
function laneShare(
  call: ForwardCall,
  source: Source,
  role: ScanRole,
  lane: Lane,
  frame: string,
  lambda: Complex,
  past?: Complex,
): string {
  const { method } = scanOf(call).attributes;
  const part = role.endsWith('Im') ? 1 : 0;
  const motion = motionAt(call, source, lane, frame);
  const { dt, a, gain } = motion;
  if (role === 'u' || role === 'uIm') {
    return times(conjugate(inputWeight(call, source, motion, lane, frame)), lambda)[part];
  }
  const u = operandPair(call, 'u', lane, frame);
  const dB = source.letComplex('dB', times(lambda, conjugate(u)));
  if (role === 'b' || role === 'bIm') {
    return times(source.letComplex('dtG', scale(dt, conjugate(gain))), dB)[part];
  }
  const { decaySlope, gainSlope } = slopes(source, method, motion);
  const b = operandPair(call, 'b', lane, frame);
  const dA = source.letComplex('dA', times(lambda, conjugate(past!)));
  const dz = source.letComplex(
    'dz',
    plus(
      times(dA, conjugate(decaySlope)),
      times(dB, conjugate(source.letComplex('bSlope', scale(dt, times(b, gainSlope))))),
    ),
  );
  if (role !== 'dt') return multiply(dt, dz[part]);
  const gainB = source.letComplex('gainB', times(gain, b));
  return add(realOfProduct(dz, conjugate(a)), realOfProduct(dB, conjugate(gainB)));
}
