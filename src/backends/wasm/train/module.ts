import { BackendError } from '../../../errors.ts';
import { decodeBase64 } from '../base64.ts';
import { relaxedSimd, simd } from '../generated/training.ts';

/** The training kernels over one memory; see `../assembly/train`. All arguments but counts are addresses or bytes. */
export interface TrainingKernels {
  forward(descriptor: number, frames: number, phase: number): void;
  adjoint(descriptor: number, frames: number): void;
  chunksForward(descriptor: number, frames: number): void;
  chunksBack(descriptor: number, frames: number): void;
  move(descriptor: number, firings: number): void;
  moveBack(descriptor: number, firings: number): void;
  normalise(descriptor: number, frames: number): void;
  normaliseBack(descriptor: number, x: number, y: number, dy: number, dx: number, frames: number): void;
  unary(code: number, from: number, to: number, count: number): void;
  unaryBack(code: number, x: number, y: number, dy: number, dx: number, count: number): void;
  binary(code: number, a: number, b: number, to: number, count: number): void;
  binaryRows(code: number, descriptor: number, frames: number): void;
  binaryBack(code: number, descriptor: number, frames: number): void;
  product(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aStep: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
  ): void;
  depthwise(
    firings: number,
    channels: number,
    taps: number,
    x: number,
    xRow: number,
    tapStep: number,
    w: number,
    wRow: number,
    y: number,
  ): void;
  depthwiseToInput(
    firings: number,
    channels: number,
    taps: number,
    x: number,
    xRow: number,
    tapStep: number,
    w: number,
    wRow: number,
    y: number,
  ): void;
  depthwiseToWeight(
    firings: number,
    channels: number,
    taps: number,
    x: number,
    xRow: number,
    tapStep: number,
    w: number,
    wRow: number,
    y: number,
  ): void;
  lstmForward(descriptor: number, frames: number): void;
  lstmBack(descriptor: number, frames: number): void;
  gruForward(descriptor: number, frames: number): void;
  gruBack(descriptor: number, frames: number): void;
  matrixForward(descriptor: number, frames: number): void;
  matrixBack(descriptor: number, frames: number): void;
  selectiveForward(descriptor: number, frames: number): void;
  selectiveBack(descriptor: number, frames: number): void;
  accumulate(from: number, to: number, count: number): void;
  columnSums(from: number, rows: number, columns: number, rowStep: number, to: number): void;
  fillRows(from: number, rows: number, bytes: number, to: number, rowStep: number): void;
  widen(from: number, to: number, count: number): void;
}

/**
 * One growing memory with the kernels that run on it. Views are made anew when it grows: take them from here at
 * every use.
 */
export interface TrainingMemory {
  readonly name: string;
  readonly kernels: TrainingKernels;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
  readonly bytes: number;
  /** @throws BackendError where the engine gives no more. */
  need(bytes: number): void;
}

// The part of the WebAssembly API in use; the DOM's types are not among this project's.
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface Api {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: { initial: number; maximum: number }) => Memory;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

const PAGE = 65_536;
/** 4 GiB: what 32-bit addresses reach. */
const MOST_PAGES = 65_536;
const compiled = new Map<string, object | undefined>();

function compile(name: string, text: string): object | undefined {
  if (compiled.has(name)) return compiled.get(name);
  const api = (globalThis as { WebAssembly?: Api }).WebAssembly;
  const bytes = decodeBase64(text);
  const module = api?.validate(bytes) === true ? new api.Module(bytes) : undefined;
  compiled.set(name, module);
  return module;
}

/** Compiled kernels: they can be cloned to another thread, which then neither compiles nor warms them up anew. */
export interface TrainingBuild {
  readonly name: string;
  readonly module: object;
}

/** The fastest build that runs here; undefined where none does. */
export function findBuild(deterministic: boolean): TrainingBuild | undefined {
  for (const [name, text] of [
    ...(deterministic ? [] : [['wasm-relaxed-simd', relaxedSimd]]),
    ['wasm-simd', simd],
  ]) {
    const module = compile(name!, text!);
    if (module) return { name: name!, module };
  }
  return undefined;
}

/**
 * A memory for training.
 *
 * @param deterministic without relaxed SIMD, whose rounding is the processor's choice.
 * @param build what another thread has compiled.
 * @throws BackendError where the engine has no WebAssembly SIMD.
 */
export function openTrainingMemory(
  deterministic = false,
  build: TrainingBuild | undefined = findBuild(deterministic),
): TrainingMemory {
  if (build === undefined) {
    throw new BackendError(
      'this JavaScript engine has no WebAssembly with 128-bit SIMD, which training on the CPU needs; use Node 22 or later',
    );
  }
  const api = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;
  const memory = new api.Memory({ initial: 16, maximum: MOST_PAGES });
  const { exports } = new api.Instance(build.module, { env: { memory } });
  let views = viewsOf(memory.buffer);
  return {
    name: build.name,
    kernels: exports as TrainingKernels,
    get f32() {
      return views.f32;
    },
    get f64() {
      return views.f64;
    },
    get u32() {
      return views.u32;
    },
    get bytes() {
      return memory.buffer.byteLength;
    },
    need(bytes) {
      const missing = Math.ceil(bytes / PAGE) - memory.buffer.byteLength / PAGE;
      if (missing <= 0) return;
      try {
        memory.grow(missing);
      } catch (cause) {
        throw new BackendError(
          `a sequence needs ${(bytes / 2 ** 30).toFixed(1)} GiB of memory, more than this process gets (at most 4 GiB a ` +
            'worker); train on shorter sequences, or on fewer channels',
          { cause },
        );
      }
      views = viewsOf(memory.buffer);
    },
  };
}

const viewsOf = (
  buffer: ArrayBuffer,
): { readonly f32: Float32Array; readonly f64: Float64Array; readonly u32: Uint32Array } => ({
  f32: new Float32Array(buffer),
  f64: new Float64Array(buffer),
  u32: new Uint32Array(buffer),
});
