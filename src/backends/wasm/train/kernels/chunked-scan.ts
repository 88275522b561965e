import { diagonalScanOp, type DiagonalScanAttributes, type ScanPlan } from '../../../../ops/diagonal-scan.ts';
import { isConstant } from '../../../../signal/index.ts';
import { throughDiscretization } from '../../adjoint.ts';
import { Bytes, type SCAN_ROLES, type Scan } from '../../scan.ts';
import type { ForwardCall, TrainPlan, TrainRequest } from '../kernel.ts';
import * as at from '../layout.ts';

const L = at.CHUNK;

/**
 * The diagonal scan where coefficients and read-out stand still and the input is real (S4D): matrix products over
 * chunks of L frames, see `assembly/train/chunks.ts` for the equations.
 */
export function planChunkedScan({ attributes: given, types }: TrainRequest): TrainPlan | undefined {
  const attributes = given as DiagonalScanAttributes;
  const { channels, states, complex, method, roles } = attributes;
  const varying = types.flatMap((type, i) => (isConstant(type) ? [] : [i]));
  const readsOut = roles.includes('c');
  if (varying.length !== 1 || roles.includes('uIm') || !readsOut || method.usesPreviousInput)
    return undefined;
  const u = varying[0]!;
  const parts = complex ? 2 : 1;
  const dims = Math.ceil((states * parts) / 4) * 4;
  const groups = Math.ceil(channels / 4);
  const table = dims * L * 4;
  const square = L * L * 4;
  const tablesSize = 4 * table + 2 * square;
  const sumsSize = 2 * table + square;
  const stateBytes = states * 64;
  const bytes = new Bytes();
  const descriptorAt = bytes.take(at.CHUNK_BYTES);
  const tablesAt = bytes.take(4 * tablesSize * groups);
  const powersAt = bytes.take(stateBytes * groups);
  const sumsAt = bytes.take(8 * sumsSize * groups);
  const powerSumsAt = bytes.take(stateBytes * groups);
  const beginAt = bytes.take(stateBytes * groups);
  const endAt = bytes.take(stateBytes * groups);
  const tiles = (firings: number): number => Math.ceil(firings / at.CHUNK_TILE);

  return {
    local: false,
    native: true,
    carries: true,
    costly: true,
    reads: { inputs: [u], output: false },
    fixed: bytes.size,
    scratch: () =>
      3 * L * at.CHUNK_ROW + 4 * dims * at.CHUNK_ROW + at.CHUNK_GROUPS * (stateBytes + 4 * sumsSize),
    kept: (firings) => tiles(firings) * stateBytes * groups,
    bind(memory, base) {
      const put = (field: number, value: number): void => {
        memory.u32[(base + descriptorAt + field) / 4] = value;
      };
      put(at.CHUNK_CHANNELS, channels);
      put(at.CHUNK_MODES, states);
      put(at.CHUNK_PARTS, parts);
      put(at.CHUNK_DIMS, dims);
      put(at.CHUNK_TABLES, base + tablesAt);
      put(at.CHUNK_POWERS, base + powersAt);
      put(at.CHUNK_SUMS, base + sumsAt);
      put(at.CHUNK_POWER_SUMS, base + powerSumsAt);
      put(at.CHUNK_BEGIN, base + beginAt);
      put(at.CHUNK_END, base + endAt);
      let plan: ScanPlan;
      let constants: readonly (Float64Array | undefined)[] = [];
      const readOut = (role: 'c' | 'cIm', lane: number): number =>
        plan.at[role] < 0 ? 0 : constants[plan.at[role]]![plan.lanes[role]![lane]!]!;
      /** Ā, c and B̄ of a lane, c̃ = c B̄, and re, im of Ā⁰ … Ā^L. */
      const powers = new Float64Array(2 * (L + 1));
      const laneOf = (
        lane: number,
      ): { c: [number, number]; b: [number, number]; folded: [number, number] } => {
        const { aBar, bBar } = plan.coefficients!;
        const [aRe, aIm] = [aBar[2 * lane]!, complex ? aBar[2 * lane + 1]! : 0];
        powers[0] = 1;
        powers[1] = 0;
        for (let k = 1; k <= L; k++) {
          powers[2 * k] = powers[2 * k - 2]! * aRe - powers[2 * k - 1]! * aIm;
          powers[2 * k + 1] = powers[2 * k - 2]! * aIm + powers[2 * k - 1]! * aRe;
        }
        const c: [number, number] = [readOut('c', lane), complex ? readOut('cIm', lane) : 0];
        const b: [number, number] = [bBar[2 * lane]!, complex ? bBar[2 * lane + 1]! : 0];
        return { c, b, folded: [c[0] * b[0] - c[1] * b[1], c[0] * b[1] + c[1] * b[0]] };
      };
      /** Of an element (i, k) of a table in blocks of four rows with `columns` columns. */
      const packed = (i: number, k: number, columns: number): number =>
        ((i >> 2) * columns + k) * 16 + (i & 3) * 4;

      const point = (call: ForwardCall): void => {
        put(at.CHUNK_KEPT, call.kept);
        put(at.CHUNK_SCRATCH, call.scratch);
        put(at.CHUNK_INPUT, call.inputs[u]!);
      };
      /** Every mode's state at a place becomes what `value` gives. */
      const eachState = (
        place: number,
        value: (index: number, lane: number) => readonly [re: number, im: number],
      ): void => {
        for (let lane = 0; lane < channels * states; lane++) {
          const h = Math.floor(lane / states);
          const index = (base + place + (h >> 2) * stateBytes) / 8 + (lane % states) * 8 + (h & 3);
          [memory.f64[index], memory.f64[index + 4]] = value(index, lane);
        }
      };
      /** The kernel stops at the last whole chunk: what stands behind it goes frame by frame. */
      const finishChunk = ({ inputs, firings }: ForwardCall): void => {
        const from = inputs[u]! / 4;
        if (firings % L === 0) return;
        const { aBar } = plan.coefficients!;
        eachState(endAt, (index, lane) => {
          let [re, im] = [memory.f64[index]!, memory.f64[index + 4]!];
          const [aRe, aIm] = [aBar[2 * lane]!, complex ? aBar[2 * lane + 1]! : 0];
          const h = Math.floor(lane / states);
          for (let k = firings - (firings % L); k < firings; k++) {
            const next = aRe * re - aIm * im + memory.f32[from + k * channels + h]!;
            im = aRe * im + aIm * re;
            re = next;
          }
          return [re, im];
        });
      };
      return {
        load(values) {
          constants = values;
          plan = diagonalScanOp.prepare!({ attributes, types, constants, precision: 'float64' });
          const { f32, f64 } = memory;
          const tables = (base + tablesAt) / 4;
          f32.fill(0, tables, tables + tablesSize * groups);
          const kernel = new Float64Array(L);
          for (let h = 0; h < channels; h++) {
            const V = tables + (h >> 2) * tablesSize + (h & 3);
            const [Vt, W, Wt, T] = [V + table, V + 2 * table, V + 3 * table, V + 4 * table];
            kernel.fill(0);
            for (let n = 0; n < states; n++) {
              const {
                folded: [cRe, cIm],
              } = laneOf(h * states + n);
              const d = n * parts;
              for (let k = 0; k < L; k++) {
                kernel[k]! += cRe * powers[2 * k]! - cIm * powers[2 * k + 1]!;
                const [re, im] = [powers[2 * (L - 1 - k)]!, powers[2 * (L - 1 - k) + 1]!];
                f32[V + packed(d, k, L)] = f32[Vt + packed(k, d, dims)] = re;
                const [nextRe, nextIm] = [powers[2 * k + 2]!, powers[2 * k + 3]!];
                f32[W + packed(k, d, dims)] = f32[Wt + packed(d, k, L)] = cRe * nextRe - cIm * nextIm;
                if (!complex) continue;
                f32[V + packed(d + 1, k, L)] = f32[Vt + packed(k, d + 1, dims)] = im;
                f32[W + packed(k, d + 1, dims)] = f32[Wt + packed(d + 1, k, L)] = -(
                  cRe * nextIm +
                  cIm * nextRe
                );
              }
              const power = (base + powersAt + (h >> 2) * stateBytes) / 8 + n * 8 + (h & 3);
              f64[power] = powers[2 * L]!;
              f64[power + 4] = powers[2 * L + 1]!;
            }
            for (let t = 0; t < L; t++) {
              for (let s = 0; s <= t; s++) {
                f32[T + packed(t, s, L)] = f32[T + square + packed(s, t, L)] = kernel[t - s]!;
              }
            }
          }
          const sums = (base + sumsAt) / 8;
          f64.fill(0, sums, sums + sumsSize * groups);
          f64.fill(0, (base + powerSumsAt) / 8, (base + powerSumsAt + stateBytes * groups) / 8);
        },
        forward(call) {
          point(call);
          put(at.CHUNK_OUTPUT, call.output);
          memory.kernels.chunksForward(base + descriptorAt, call.firings);
          finishChunk(call);
        },
        state: {
          // x̃ = x / B̄ changes with the weights; x itself does not.
          begin: (from) =>
            eachState(beginAt, (_index, lane) => {
              if (from === undefined) return [0, 0];
              const { b } = laneOf(lane);
              const size = b[0] ** 2 + b[1] ** 2 || 1;
              const [re, im] = [from[2 * lane]!, from[2 * lane + 1]!];
              return [(re * b[0] + im * b[1]) / size, (im * b[0] - re * b[1]) / size];
            }),
          end() {
            const found = new Float64Array(2 * channels * states);
            eachState(endAt, (index, lane) => {
              const { b } = laneOf(lane);
              const [re, im] = [memory.f64[index]!, memory.f64[index + 4]!];
              found[2 * lane] = re * b[0] - im * b[1];
              found[2 * lane + 1] = re * b[1] + im * b[0];
              return [re, im];
            });
            return found;
          },
        },
        back(call) {
          point(call);
          put(at.CHUNK_D_INPUT, call.dInputs[u]!);
          put(at.CHUNK_D_OUTPUT, call.dOutput);
          put(at.CHUNK_WANTED, call.dInputs.some((place, i) => i !== u && place !== 0) ? 1 : 0);
          memory.kernels.chunksBack(base + descriptorAt, call.firings);
        },
        finish(give) {
          const { f64 } = memory;
          const gradients = types.map((type, input) => (isConstant(type) ? give(input) : undefined));
          const add = (name: (typeof SCAN_ROLES)[number], lane: number, amount: number): void => {
            const gradient = plan.at[name] < 0 ? undefined : gradients[plan.at[name]];
            if (gradient) gradient[plan.lanes[name]![lane]!]! += amount;
          };
          const scan: Scan = { attributes, types, constants, plan, wide: new Uint8Array(0) };
          const slope = new Float64Array(L);
          for (let h = 0; h < channels; h++) {
            const dV = (base + sumsAt) / 8 + (h >> 2) * sumsSize + (h & 3);
            const [dW, dT] = [dV + table, dV + 2 * table];
            slope.fill(0);
            for (let t = 0; t < L; t++) {
              for (let s = 0; s <= t; s++) slope[t - s]! += f64[dT + (t * L + s) * 4]!;
            }
            for (let n = 0; n < states; n++) {
              const lane = h * states + n;
              const {
                c,
                b,
                folded: [cRe, cIm],
              } = laneOf(lane);
              const d = n * parts;
              let [aRe, aIm, fRe, fIm] = [0, 0, 0, 0];
              // The slope of (w Ā^k), given that of its value: by w, and by Ā.
              const through = (gRe: number, gIm: number, k: number, wRe: number, wIm: number): void => {
                const [pRe, pIm] = [powers[2 * k]!, powers[2 * k + 1]!];
                fRe += gRe * pRe + gIm * pIm;
                fIm += gIm * pRe - gRe * pIm;
                if (k === 0) return;
                const [qRe, qIm] = [k * powers[2 * k - 2]!, k * powers[2 * k - 1]!];
                const [sRe, sIm] = [wRe * qRe - wIm * qIm, wRe * qIm + wIm * qRe];
                aRe += gRe * sRe + gIm * sIm;
                aIm += gIm * sRe - gRe * sIm;
              };
              const power = (base + powerSumsAt + (h >> 2) * stateBytes) / 8 + n * 8 + (h & 3);
              for (let k = 0; k < L; k++) {
                through(
                  f64[dV + (d * L + k) * 4]!,
                  complex ? f64[dV + ((d + 1) * L + k) * 4]! : 0,
                  L - 1 - k,
                  1,
                  0,
                );
              }
              through(f64[power]!, f64[power + 4]!, L, 1, 0);
              // What stands above is not multiplied by c̃.
              [fRe, fIm] = [0, 0];
              for (let k = 0; k < L; k++) {
                through(slope[k]!, 0, k, cRe, cIm);
                const im = complex ? -f64[dW + (k * dims + d + 1) * 4]! : 0;
                through(f64[dW + (k * dims + d) * 4]!, im, k + 1, cRe, cIm);
              }
              add('c', lane, fRe * b[0] + fIm * b[1]);
              add('cIm', lane, fIm * b[0] - fRe * b[1]);
              const [dB, dBIm] = [fRe * c[0] + fIm * c[1], fIm * c[0] - fRe * c[1]];
              throughDiscretization(scan, lane, [aRe, aIm, dB, dBIm], add);
            }
          }
        },
      };
    },
  };
}
