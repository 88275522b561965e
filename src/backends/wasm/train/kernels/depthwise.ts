import { Bytes } from '../../scan.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';

/** Firings that pass together: float32 sums over them are short. */
const BLOCK = 256;

/** A convolution in which every channel stands by itself. */
export function planDepthwise({ attributes, types, timing }: TrainRequest): TrainPlan {
  const { stride, dilation } = attributes as { readonly stride: number; readonly dilation: number };
  const [channels, , taps] = types[1]!.shape as [number, number, number];
  const padded = Math.ceil(channels / 4) * 4;
  const bytes = new Bytes();
  const weightAt = bytes.take(4 * taps * padded);
  const sumAt = bytes.take(4 * taps * padded);
  const wideAt = bytes.take(8 * taps * padded);
  const biasSumAt = bytes.take(4 * channels);
  const xRow = 4 * stride * channels;
  const tapStep = 4 * dilation * channels;
  const wRow = 4 * padded;
  return {
    local: false,
    native: true,
    carries: true,
    costly: true,
    reads: { inputs: [0], output: false },
    fixed: bytes.size,
    bind(memory, base) {
      const { kernels } = memory;
      const before = 4 * timing.windows[0]!.left * channels;
      let biasPlace = 0;
      return {
        load([, weight], [, , bias = 0]) {
          biasPlace = bias;
          const to = (base + weightAt) / 4;
          for (let c = 0; c < channels; c++) {
            for (let k = 0; k < taps; k++) memory.f32[to + k * padded + c] = weight![c * taps + k]!;
          }
          memory.f64.fill(0, (base + wideAt) / 8, (base + wideAt) / 8 + taps * padded);
        },
        forward({ inputs: [x], output, firings }) {
          kernels.fillRows(biasPlace, firings, 4 * channels, output, 4 * channels);
          kernels.depthwise(
            firings,
            channels,
            taps,
            x! - before,
            xRow,
            tapStep,
            base + weightAt,
            wRow,
            output,
          );
        },
        back({ inputs: [x], dInputs: [dx, dWeight, dBias], dOutput, firings }) {
          for (let first = 0; first < firings; first += BLOCK) {
            const count = Math.min(BLOCK, firings - first);
            const window = first * xRow - before;
            const dy = dOutput + 4 * first * channels;
            if (dx !== 0) {
              const w = base + weightAt;
              kernels.depthwiseToInput(count, channels, taps, dx! + window, xRow, tapStep, w, wRow, dy);
            }
            if (dWeight !== 0) {
              const dw = base + sumAt;
              kernels.depthwiseToWeight(count, channels, taps, x! + window, xRow, tapStep, dw, wRow, dy);
              kernels.widen(dw, base + wideAt, taps * padded);
            }
            if (dBias !== undefined && dBias !== 0) {
              kernels.columnSums(dy, count, channels, 4 * channels, base + biasSumAt);
              kernels.widen(base + biasSumAt, dBias, channels);
            }
          }
        },
        finish(give) {
          const gradient = give(1);
          if (gradient === undefined) return;
          for (let c = 0; c < channels; c++) {
            for (let k = 0; k < taps; k++) {
              gradient[c * taps + k]! += memory.f64[(base + wideAt) / 8 + k * padded + c]!;
            }
          }
        },
      };
    },
  };
}
