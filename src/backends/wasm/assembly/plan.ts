// What runs inside the memory of a stream: the kernels, by their number.

import * as at from '../layout';
import { contract } from './contract';
import { forward } from './forward';
import { depthwise, linear, linearByRows } from './linear';
import { matrixScan } from './matrix';
import { move } from './move';
import { normalise } from './normalise';
import { binary, binaryConstant, binaryRows, unary } from './pointwise';
import { selective } from './selective';

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
  }
}
