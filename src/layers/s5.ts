import { zoh, type Discretization } from '../discretize/index.ts';
import { ArgumentError } from '../errors.ts';
import { hippoEigen, lecunNormal, logUniformDt, type DtRange, type Random } from '../init/index.ts';
import { add, concat, dense, diagonalScan, exp, mul, neg, relu, reshape } from '../ops/index.ts';
import { reverse, select, split, type ComplexSignal } from '../ops/index.ts';
import { defineLayer, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { complexNormal, normal } from './s4d.ts';

/** Configuration of `s5`. */
export interface S5Options {
  /** H: channels in and out. */
  readonly features: number;
  /** N: real states, shared by all channels; 64. With `conjugates` one of each pair is kept, so that P = N/2. */
  readonly states?: number;
  /** Blocks of HiPPO-LegS that the initial Λ is made of; 1. */
  readonly blocks?: number;
  /** `zoh` (default) or `bilinear`, or any other. */
  readonly discretization?: Discretization;
  /** `conj_sym`: keep one of each conjugate pair and double the real part; true. */
  readonly conjugates?: boolean;
  /** A second scan from the end to the start, with a read-out of its own: offline only; false. */
  readonly bidirectional?: boolean;
  /** Keep Re Λ at or below −1e-4; false. */
  readonly clipEigenvalues?: boolean;
  /** `C_init`; both of the first two are taken into the coordinates of Λ. */
  readonly readOut?: 'truncated' | 'lecun' | 'complex';
  readonly dt?: DtRange;
  readonly sampleRate?: number;
}

/**
 * S5: one diagonal system of P complex states with all channels as its input and output (MIMO).
 *
 *     Λ = Lambda_re + i Lambda_im,   dt = exp(log_step)
 *     x[k] = Λ̄ x[k−1] + B̄ u[k],   y[k] = 2 Re(C x[k]) + D u[k]
 *
 * Without conjugate symmetry y = Re(C x) + D u. In irregular time dt of frame k is exp(log_step) times the port's
 * dt[k]. Activation, norm and residual are outside.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `Lambda_re`, `Lambda_im` | (P) |
 * | `B` | (P × H × 2): re, im |
 * | `C` | (H × P × 2); bidirectional `C1` and `C2`, or with `readOut: 'complex'` one `C` (H × 2P × 2) |
 * | `D` | (H) |
 * | `log_step` | (P × 1) |
 *
 * On a stream: causal, no latency, 16 P bytes of state, follows another sample rate and irregular time;
 * bidirectional it runs offline alone, and `compile` refuses it.
 *
 * Source: Smith, Warrington, Linderman, "Simplified State Space Layers for Sequence Modeling" (arXiv 2208.04933);
 * lindermanlab/S5 `s5/ssm.py`, `s5/ssm_init.py`.
 *
 * @throws ArgumentError where the states do not divide into blocks of an even size.
 * @example
 * const model = s5({ features: 8, states: 64, blocks: 4, sampleRate: 48_000 });
 * const stream = compile(model, initialise(model, 1), { sampleRate: 16_000 });
 */
export function s5(options: S5Options): Layer {
  const { features: H, states = 64, blocks = 1, discretization = zoh, conjugates = true } = options;
  const { bidirectional = false, clipEigenvalues = false, readOut = 'truncated', dt: range = {} } = options;
  const start = blockHippo(states, blocks, conjugates);
  const P = start.kept;
  return defineLayer({
    name: 's5',
    features: H,
    sampleRate: options.sampleRate,
    apply(trace, u) {
      const lambdaRe = trace.parameter('Lambda_re', [P], () => start.re);
      const lambdaIm = trace.parameter('Lambda_im', [P], () => start.im);
      const B = trace.parameter('B', [P, H, 2], (_shape, random: Random) =>
        start.intoModes(lecunNormal(new Float64Array(states * H), random, states), H),
      );
      const C = readOuts(trace, { H, P, bidirectional, readOut, start });
      const D = trace.parameter('D', [H], normal);
      const logStep = trace.parameter('log_step', [P, 1], (_shape, random: Random) =>
        logUniformDt(random, P, range),
      );

      const dt = mul(reshape(exp(logStep), [P]), trace.timeScale());
      const bounded = neg(add(relu(neg(add(lambdaRe, 1e-4))), 1e-4));
      const [re, im] = split(dense(u, concat([select(B, 0), select(B, 1)], 0)), [P, P]) as [Signal, Signal];
      const scan = (input: ComplexSignal, step: Signal): Signal =>
        diagonalScan(input, {
          a: { re: clipEigenvalues ? bounded : lambdaRe, im: lambdaIm },
          dt: step,
          method: discretization.diagonal,
          states: 1,
        });
      // A step that varies belongs to its frame, whichever way time runs.
      const backwards = (): Signal =>
        reverse(scan({ re: reverse(re), im: reverse(im) }, dt.rate === 'constant' ? dt : reverse(dt)));
      const y = [scan({ re, im }, dt), ...(bidirectional ? [backwards()] : [])]
        .map((x, i) => dense(reshape(x, [2 * P]), realPart(C[i]!, conjugates ? 2 : 1)))
        .reduce(add);
      return add(y, mul(u, D));
    },
  });
}

/** C (H × P × 2) as the real matrix (H × 2P) that takes (Re x, Im x) to scale · Re(C x). */
const realPart = (C: Signal, scale: number): Signal => mul(concat([select(C, 0), neg(select(C, 1))]), scale);

interface ReadOuts {
  readonly H: number;
  readonly P: number;
  readonly bidirectional: boolean;
  readonly readOut: NonNullable<S5Options['readOut']>;
  readonly start: BlockHippo;
}

/** The read-out of each direction (H × P × 2). */
function readOuts(trace: Trace, { H, P, bidirectional, readOut, start }: ReadOuts): Signal[] {
  if (readOut === 'complex') {
    const C = trace.parameter('C', [H, bidirectional ? 2 * P : P, 2], complexNormal);
    return bidirectional ? split(C, [P, P], 1) : [C];
  }
  const { states } = start;
  // The official lecun_normal of (H × N × 2) counts the first axis as a receptive field.
  const fanIn = readOut === 'lecun' ? H * states : states;
  const init = (_shape: Shape, random: Random): Float64Array =>
    start.fromModes(lecunNormal(new Float64Array(2 * H * states), random, fanIn), H);
  return (bidirectional ? ['C1', 'C2'] : ['C']).map((name) => trace.parameter(name, [H, P, 2], init));
}

/** The initial system: `blocks` copies of HiPPO-LegS in the coordinates of its normal part. */
interface BlockHippo {
  readonly states: number;
  /** P */
  readonly kept: number;
  /** Λ (P) */
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** V⁻¹ B of a real B (N × H) → (P × H × 2). */
  intoModes(B: Float64Array, H: number): Float64Array;
  /** C V of C (H × N × 2) → (H × P × 2). */
  fromModes(C: Float64Array, H: number): Float64Array;
}

function blockHippo(states: number, blocks: number, conjugates: boolean): BlockHippo {
  const size = states / blocks;
  if (!(Number.isSafeInteger(blocks) && blocks >= 1 && size >= 2 && size % 2 === 0)) {
    throw new ArgumentError(
      `s5: ${states} states in ${blocks} blocks; give blocks of an even size, since eigenvalues come in conjugate pairs`,
    );
  }
  const { W, V } = hippoEigen('legs', size);
  const perBlock = conjugates ? size / 2 : size;
  const kept = blocks * perBlock;
  const tile = (row: Float64Array): Float64Array =>
    Float64Array.from({ length: kept }, (_, p) => row[p % perBlock]!);
  /** Visits the entries of V that couple mode p with state n. */
  const each = (visit: (p: number, n: number, re: number, im: number) => void): void => {
    for (let p = 0; p < kept; p++) {
      const first = Math.floor(p / perBlock) * size;
      for (let i = 0; i < size; i++) {
        const at = i * size + (p % perBlock);
        visit(p, first + i, V.re[at]!, V.im[at]!);
      }
    }
  };
  return {
    states,
    kept,
    re: tile(W.re),
    im: tile(W.im),
    intoModes(B, H) {
      const out = new Float64Array(kept * H * 2);
      each((p, n, re, im) => {
        for (let h = 0; h < H; h++) {
          out[2 * (p * H + h)]! += re * B[n * H + h]!;
          out[2 * (p * H + h) + 1]! -= im * B[n * H + h]!;
        }
      });
      return out;
    },
    fromModes(C, H) {
      const out = new Float64Array(H * kept * 2);
      each((p, n, re, im) => {
        for (let h = 0; h < H; h++) {
          const [cRe, cIm] = [C[2 * (h * states + n)]!, C[2 * (h * states + n) + 1]!];
          out[2 * (h * kept + p)]! += cRe * re - cIm * im;
          out[2 * (h * kept + p) + 1]! += cRe * im + cIm * re;
        }
      });
      return out;
    },
  };
}
