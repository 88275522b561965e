// What runs inside the memory of a stream: the kernels, by their number.

import * as at from '../layout';
import { attend } from './attend';
import { gru, lstm } from './cell';
import { chunkScale } from './chunk-scale';
import { contract } from './contract';
import { dplr } from './dplr';
import { atStart, clamp, maximum, phase as sumPhase, pool, runningMaximum, runningMean } from './each';
import { endless } from './endless';
import { forward } from './forward';
import { held } from './held';
import { depthwise, linear, linearByRows } from './linear';
import { matrixScan } from './matrix';
import { move } from './move';
import { normalise } from './normalise';
import { binary, binaryConstant, binaryRows, unary } from './pointwise';
import { rotary } from './rotary';
import { selective } from './selective';
import { inverseStft, stft } from './stft';
import { system } from './system';
import { wkv } from './wkv';

/** Calls a kernel (`KERNEL_…`) whose descriptor is complete: `count` firings or numbers, `phase` as it wants it. */
export function runKernel(kernel: i32, d: usize, count: i32, phase: i32): void {
  switch (kernel) {
    case at.KERNEL_CONTRACT:
      return contract(d, count, phase);
    case at.KERNEL_FORWARD:
      return forward(d, count, phase);
    case at.KERNEL_MATRIX_SCAN:
      return matrixScan(d, count, phase);
    case at.KERNEL_LINEAR:
      return linear(d, count);
    case at.KERNEL_LINEAR_BY_ROWS:
      return linearByRows(d, count);
    case at.KERNEL_DEPTHWISE:
      return depthwise(d, count);
    case at.KERNEL_NORMALISE:
      return normalise(d, count);
    case at.KERNEL_MOVE:
      return move(d, count);
    case at.KERNEL_UNARY:
      return unary(
        load<i32>(d, at.ELEMENTS_CODE),
        load<usize>(d, at.ELEMENTS_A),
        load<usize>(d, at.ELEMENTS_OUTPUT),
        count,
      );
    case at.KERNEL_BINARY:
      return binary(
        load<i32>(d, at.ELEMENTS_CODE),
        load<usize>(d, at.ELEMENTS_A),
        load<usize>(d, at.ELEMENTS_B),
        load<usize>(d, at.ELEMENTS_OUTPUT),
        count,
      );
    case at.KERNEL_BINARY_CONSTANT:
      return binaryConstant(
        load<i32>(d, at.ELEMENTS_CODE),
        load<usize>(d, at.ELEMENTS_A),
        load<usize>(d, at.ELEMENTS_B),
        load<usize>(d, at.ELEMENTS_PERIOD),
        load<usize>(d, at.ELEMENTS_OUTPUT),
        count,
      );
    case at.KERNEL_BINARY_ROWS:
      return binaryRows(load<i32>(d, at.ROWS_CODE), d, count);
    case at.KERNEL_SELECTIVE:
      return selective(d, count, phase);
    case at.KERNEL_LSTM:
      return lstm(d, count);
    case at.KERNEL_GRU:
      return gru(d, count);
    case at.KERNEL_ATTEND:
      return attend(d, count);
    case at.KERNEL_DPLR:
      return dplr(d, count, phase);
    case at.KERNEL_ENDLESS:
      return endless(d, count, phase);
    case at.KERNEL_CHUNK_SCALE:
      return chunkScale(d, count);
    case at.KERNEL_WKV:
      return wkv(d, count);
    case at.KERNEL_ROTARY:
      return rotary(d, count);
    case at.KERNEL_SYSTEM:
      return system(d, count);
    case at.KERNEL_CLAMP:
      return clamp(d, count);
    case at.KERNEL_MAXIMUM:
      return maximum(d, count);
    case at.KERNEL_RUNNING_MAXIMUM:
      return runningMaximum(d, count);
    case at.KERNEL_PHASE:
      return sumPhase(d, count);
    case at.KERNEL_POOL:
      return pool(d, count);
    case at.KERNEL_RUNNING_MEAN:
      return runningMean(d, count);
    case at.KERNEL_AT_START:
      return atStart(d, count);
    case at.KERNEL_STFT:
      return stft(d, count);
    case at.KERNEL_HELD:
      return held(d, count, phase);
    case at.KERNEL_INVERSE_STFT:
      return inverseStft(d, count);
  }
}
