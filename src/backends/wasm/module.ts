import { BackendError } from '../../errors.ts';
import { decodeBase64 } from './base64.ts';
import { batchOf } from './batch.ts';
import { relaxedSimd, simd } from './generated/kernels.ts';
import type { WasmArena, WasmKernels } from './kernels.ts';
import { walkOf, writeWalk } from './walk.ts';

export type { WasmArena, WasmKernels } from './kernels.ts';

export interface WasmOptions {
  /**
   * Uses no instruction whose rounding is the processor's choice (relaxed SIMD), so that all machines give the
   * same bits; a tenth slower. False by default.
   */
  readonly deterministic?: boolean | undefined;
}

export interface WasmBuild {
  readonly name: 'wasm-simd' | 'wasm-relaxed-simd';
  open(bytes: number): WasmArena;
}

// The part of the WebAssembly API in use; the DOM's types are not among this project's.
interface Api {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: { initial: number }) => {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

const PAGE = 65_536;
const opened = new Map<string, WasmBuild | undefined>();

function build(name: WasmBuild['name'], text: string): WasmBuild | undefined {
  if (opened.has(name)) return opened.get(name);
  const api = (globalThis as { readonly WebAssembly?: Api }).WebAssembly;
  const bytes = decodeBase64(text);
  let found: WasmBuild | undefined;
  if (api?.validate(bytes) === true) {
    const module = new api.Module(bytes);
    found = {
      name,
      open: (size) => openArena(api, module, size),
    };
  }
  opened.set(name, found);
  return found;
}

function openArena(api: Api, module: object, size: number): WasmArena {
  const memory = new api.Memory({ initial: Math.max(1, Math.ceil(size / PAGE)) });
  let run: (node: number, firings: number) => void = () => undefined;
  const env = { memory, run: (node: number, firings: number) => run(node, firings) };
  const kernels = new api.Instance(module, { env }).exports as WasmKernels;
  return {
    get buffer() {
      return memory.buffer;
    },
    kernels,
    walk(at, nodes, host) {
      run = host;
      writeWalk(this, at, nodes);
      return walkOf(this, kernels, at, nodes);
    },
    grow(bytes) {
      const pages = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
      try {
        if (pages > 0) memory.grow(pages);
        return true;
      } catch {
        return false;
      }
    },
    batch(layout) {
      return batchOf(this, kernels, layout);
    },
  };
}

/** The fastest build that runs here; undefined where none does. */
export const findBuild = ({ deterministic = false }: WasmOptions = {}): WasmBuild | undefined =>
  (deterministic ? undefined : build('wasm-relaxed-simd', relaxedSimd)) ?? build('wasm-simd', simd);

/** @throws BackendError where WebAssembly or its SIMD is missing. */
export function needBuild(options: WasmOptions = {}): WasmBuild {
  const found = findBuild(options);
  if (found === undefined) {
    throw new BackendError(
      'this JavaScript engine has no WebAssembly with 128-bit SIMD, which the wasm backend needs ' +
        '(Node 16, Chrome 91, Firefox 89, Safari 16.4); use the reference backend, or defaultBackend()',
    );
  }
  return found;
}
