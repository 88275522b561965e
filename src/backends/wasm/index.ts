/**
 * WebAssembly SIMD kernels for the ops that dominate a model's cost: the diagonal and the matrix scan, products with
 * constant matrices, and all that goes element by element; everything else runs on the reference, in the same memory.
 */
import { diagonalScanOp, type DiagonalScanAttributes, type ScanPlan } from '../../ops/diagonal-scan.ts';
import { matrixScanOp } from '../../ops/matrix-scan.ts';
import type { KernelPlan, KernelRequest, StreamBackend } from '../backend.ts';
import { reference } from '../reference/index.ts';
import { elementaryPlanner } from './elementary-ops.ts';
import { planEndless } from './endless.ts';
import { isFoldable, planFolded } from './folded.ts';
import { planGeneral } from './general.ts';
import { planMatrixScan } from './matrix.ts';
import { planHeld } from './held.ts';
import { findBuild, needBuild, type WasmOptions } from './module.ts';
import { plannerByName } from './ops-by-name.ts';
import { familyOf, type Scan } from './scan.ts';
import { batchBytes } from './batch.ts';
import { walkBytes } from './walk.ts';
import { isSelective, planSelective } from './selective.ts';

export type { WasmOptions } from './module.ts';
export { wasmSequences } from './sequence.ts';

/**
 * Streams on WebAssembly SIMD. Loaded synchronously: Node, workers and an AudioWorklet alike.
 * Precision `float64` runs on the reference, and so does what learns its coefficients while it streams: S4, and methods
 * that use the previous input (foh, trapezoidal), where a dt comes by frame; dense systems of irregular time; tables.
 *
 * @throws BackendError where the engine has no WebAssembly SIMD; `defaultBackend` never throws.
 * @example
 * const stream = compile(model, parameters, { backend: wasm() });
 */
export function wasm(options: WasmOptions = {}): StreamBackend {
  const { name, open } = needBuild(options);
  return {
    name,
    open,
    walkBytes,
    batchBytes,
    plan(request) {
      if (request.precision === 'float64') return undefined;
      if (request.op === diagonalScanOp) return planScan(request);
      if (request.op === matrixScanOp) return planMatrixScan(request) ?? planEndless(request);
      return (elementaryPlanner(request.op) ?? plannerByName(request.op))?.(request);
    },
  };
}

/** `wasm()` where it runs, else the reference. */
export const defaultBackend = (options: WasmOptions = {}): StreamBackend =>
  findBuild(options) ? wasm(options) : reference;

function planScan({
  attributes,
  types,
  constants,
  prepared,
  precision,
}: KernelRequest): KernelPlan | undefined {
  const plan = prepared as ScanPlan;
  const scan: Scan = {
    attributes: attributes as DiagonalScanAttributes,
    types,
    constants,
    plan,
    wide: plan.rounded.map((rounded) => (rounded ? 0 : 1)),
  };
  if (scan.attributes.method.usesPreviousInput === true) return planHeld(scan, precision === 'float32');
  if (familyOf(scan.attributes.method) === undefined) return undefined;
  if (isSelective(scan)) return planSelective(scan);
  return isFoldable(scan) ? planFolded(scan) : planGeneral(scan);
}
