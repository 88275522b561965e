/**
 * The diagonal scan in all its forms, for every backend's suite: real and complex, coefficients that stand still
 * and that vary by frame, contracted and state read-out, all discretizations, sizes that fit SIMD and that do not.
 */
import {
  backwardDifference,
  bilinear,
  euler,
  foh,
  gbt,
  impulse,
  trapezoidal,
  zoh,
  zohEuler,
} from '../../src/discretize/index.ts';
import { random, type Random } from '../../src/init/random.ts';
import {
  diagonalScan,
  diagonalScanOp,
  given,
  type ComplexSignal,
  type DiagonalScanAttributes,
  type ScanMethod,
  type ScanRole,
} from '../../src/ops/diagonal-scan.ts';
import { sizeOf, unitRate, type Model, type Shape, type Signal } from '../../src/signal/index.ts';
import type { SequenceJob } from '../../src/backends/sequence.ts';

type Operand = Exclude<ScanRole, 'u' | 'uIm'>;

export interface ScanCase {
  readonly name: string;
  /** H */
  readonly channels: number;
  /** N */
  readonly states: number;
  readonly complexInput: boolean;
  /** Whether the state is complex. */
  readonly complex: boolean;
  readonly method: ScanMethod;
  /** Operands that vary by frame. */
  readonly varying: readonly ScanRole[];
  /** Shapes of all operands but u and uIm; those absent are left out. */
  readonly operands: Readonly<Partial<Record<ScanRole, Shape>>>;
}

const OPERANDS: readonly Operand[] = ['a', 'aIm', 'b', 'bIm', 'c', 'cIm', 'dt'];

/** A form of the scan at a size: which operands there are, of which shapes, and which of them vary. */
interface Form {
  readonly complexInput?: boolean;
  readonly varying?: readonly ScanRole[];
  readonly operands: (channels: number, states: number) => Partial<Record<ScanRole, Shape>>;
}

const forms: Readonly<Record<string, Form>> = {
  // S4D: complex poles, real input, complex read-out, a step a channel.
  s4d: {
    operands: (h, n) => ({ a: [h, n], aIm: [h, n], c: [h, n], cIm: [h, n], dt: [h, 1] }),
  },
  // S4D with input weights, real and complex, shared by channels or not.
  'complex contract': {
    operands: (h, n) => ({
      a: [h, n],
      aIm: [h, n],
      b: [1, n],
      bIm: [1, n],
      c: [h, n],
      cIm: [h, n],
      dt: [1, n],
    }),
  },
  'real contract': { operands: (h, n) => ({ a: [h, n], b: [h, n], c: [h, n], dt: [h] }) },
  // S5, LRU: one state a channel of a complex input, read out as it is.
  'complex state': { complexInput: true, operands: (h, n) => ({ a: [h, n], aIm: [h, n], dt: [h, n] }) },
  'complex state, real input': {
    operands: (h, n) => ({ a: [h, n], aIm: [h, n], b: [h, n], bIm: [h, n], dt: [h] }),
  },
  'real state': { operands: (h, n) => ({ a: [h, n], dt: [1] }) },
  'complex input contract': {
    complexInput: true,
    operands: (h, n) => ({ a: [1, n], aIm: [1, n], c: [h, n], cIm: [h, n], dt: [h] }),
  },
  'read-out by frame': {
    varying: ['c', 'cIm'],
    operands: (h, n) => ({ a: [h, n], aIm: [h, n], c: [1, n], cIm: [1, n], dt: [h] }),
  },
  // Mamba: the step a channel, b and c shared by all channels, each by frame.
  mamba: {
    varying: ['dt', 'b', 'c'],
    operands: (h, n) => ({ a: [h, n], b: [1, n], c: [1, n], dt: [h] }),
  },
  // Mamba-2: one pole a head.
  heads: {
    varying: ['dt', 'b', 'c'],
    operands: (h, n) => ({
      a: [h % 2 === 0 ? h / 2 : 1, 1],
      b: [1, n],
      c: [1, n],
      dt: [h % 2 === 0 ? h / 2 : 1],
    }),
  },
  'complex mamba': {
    varying: ['dt', 'b', 'bIm', 'c', 'cIm'],
    operands: (h, n) => ({ a: [h, n], aIm: [h, n], b: [1, n], bIm: [1, n], c: [1, n], cIm: [1, n], dt: [h] }),
  },
  // Irregular time through S5.
  'step by frame': {
    complexInput: true,
    varying: ['dt'],
    operands: (h, n) => ({ a: [h, n], aIm: [h, n], b: [h, n], dt: [1] }),
  },
  'all by frame': {
    complexInput: true,
    varying: ['a', 'aIm', 'b', 'bIm', 'c', 'cIm', 'dt'],
    operands: (h, n) => ({
      a: [h, n],
      aIm: [h, n],
      b: [h, n],
      bIm: [h, n],
      c: [h, n],
      cIm: [h, n],
      dt: [h, n],
    }),
  },
  // Gated linear recurrences: the pole itself by frame, the state read out.
  gated: { varying: ['a', 'b'], operands: (h, n) => ({ a: [h, n], b: [h, n] }) },
};

const methods: readonly ScanMethod[] = [
  ...[zoh, bilinear, euler, backwardDifference, gbt(0.3), impulse, zohEuler, foh, trapezoidal].map(
    ({ diagonal }) => diagonal,
  ),
  given,
];

/** Each form meets every method at one size, and every size with one method. */
const sizes: readonly (readonly [channels: number, states: number])[] = [
  [1, 1],
  [4, 4],
  [5, 3],
  [6, 1],
  [3, 8],
  [8, 16],
  [17, 2],
];

const caseOf = (form: string, method: ScanMethod, channels: number, states: number): ScanCase => {
  const { complexInput = false, varying = [], operands } = forms[form]!;
  const shapes = operands(channels, states);
  return {
    name: `${form}, ${method.name}, ${channels} × ${states}`,
    channels,
    states,
    complexInput,
    complex: complexInput || 'aIm' in shapes || 'bIm' in shapes,
    method,
    varying,
    operands: shapes,
  };
};

export const scanCases: readonly ScanCase[] = Object.keys(forms)
  .flatMap((form, i) => [
    ...methods.map((method, m) => caseOf(form, method, ...sizes[(i + m) % sizes.length]!)),
    ...sizes.map((size, s) => caseOf(form, methods[(i + s) % methods.length]!, ...size)),
  ])
  .filter((one, i, all) => all.findIndex(({ name }) => name === one.name) === i);

/** u, uIm and the operands, in the order of the op's inputs. */
export const scanRoles = ({ complexInput, operands }: ScanCase): ScanRole[] => [
  'u',
  ...(complexInput ? (['uIm'] as const) : []),
  ...OPERANDS.filter((role) => role in operands),
];

const shapeOf = (scan: ScanCase, role: ScanRole): Shape =>
  role === 'u' || role === 'uIm' ? [scan.channels] : scan.operands[role]!;

const varies = (scan: ScanCase, role: ScanRole): boolean =>
  role === 'u' || role === 'uIm' || scan.varying.includes(role);

/**
 * Random values of a role, `count` of them, that keep the scan stable: Re a in [−8, −1], dt in [0.001, 0.1]
 * log-uniform (Re a in [−0.8, −0.01] without dt), and |Im a| within what the method bears; for `given` |a| ≤ 0.98. A pole's two parts are drawn
 * apart, so each alone has to be small enough.
 */
function draw(scan: ScanCase, role: ScanRole, rng: Random): number {
  const { family } = scan.method;
  const isGiven = family.kind === 'given';
  switch (role) {
    case 'a':
      if (isGiven) return scan.complex ? rng.uniform(-0.69, 0.69) : rng.uniform(-0.3, 0.98);
      return 'dt' in scan.operands ? rng.uniform(-8, -1) : rng.uniform(-0.8, -0.01);
    case 'aIm':
      if (isGiven) return rng.uniform(-0.69, 0.69);
      // |f| < 1 needs dt |a|² < 2 |Re a| / (1 − 2 α) where α < ½.
      return family.kind === 'rational' && family.alpha < 0.5 ? rng.uniform(-3, 3) : rng.uniform(-30, 30);
    case 'dt':
      return isGiven ? rng.uniform(0.5, 1) : 0.001 * 100 ** rng.uniform();
    default:
      return rng.normal();
  }
}

/** A batch of sequences of a case in float32, with stable random operands; the same for the same seed. */
export function scanJob(
  scan: ScanCase,
  { batch, frames, seed }: { readonly batch: number; readonly frames: number; readonly seed: number },
): SequenceJob & { readonly attributes: DiagonalScanAttributes } {
  const rng = random(seed);
  const roles = scanRoles(scan);
  const { channels, states, complex, method } = scan;
  return {
    op: diagonalScanOp,
    attributes: { channels, states, complex, method, roles },
    types: roles.map((role) => ({
      shape: shapeOf(scan, role),
      rate: varies(scan, role) ? unitRate : 'constant',
    })),
    batch,
    frames,
    inputs: roles.map((role) =>
      Float32Array.from(
        { length: sizeOf(shapeOf(scan, role)) * (varies(scan, role) ? batch * frames : 1) },
        () => draw(scan, role, rng),
      ),
    ),
  };
}

/** The case as a model: varying roles are its input ports, constant ones its parameters. */
export function scanModel(scan: ScanCase): Model {
  const roles = scanRoles(scan);
  return {
    name: scan.name,
    inputs: Object.fromEntries(
      roles.filter((role) => varies(scan, role)).map((role) => [role, shapeOf(scan, role)]),
    ),
    build(trace, inputs) {
      const signal = (role: ScanRole): Signal | undefined =>
        roles.includes(role) ? (inputs[role] ?? trace.parameter(role, shapeOf(scan, role))) : undefined;
      const pair = (role: 'u' | 'a' | 'b' | 'c'): ComplexSignal | undefined => {
        const re = signal(role);
        const im = signal(`${role}Im`);
        return re && im ? { re, im } : re;
      };
      return {
        output: diagonalScan(pair('u')!, {
          a: pair('a')!,
          b: pair('b'),
          c: pair('c'),
          dt: signal('dt'),
          method: scan.method,
          states: scan.states,
        }),
      };
    },
  };
}

/** What `compile` and `process` take for a job of one sequence: parameters, and a block for every port. */
export function scanFeed(
  scan: ScanCase,
  job: SequenceJob,
): { readonly parameters: Record<string, Float32Array>; readonly block: Record<string, Float32Array> } {
  const parameters: Record<string, Float32Array> = {};
  const block: Record<string, Float32Array> = {};
  scanRoles(scan).forEach((role, i) => {
    (varies(scan, role) ? block : parameters)[role] = job.inputs[i] as Float32Array;
  });
  return { parameters, block };
}
