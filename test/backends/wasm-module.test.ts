import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeBase64 } from '../../src/backends/wasm/base64.ts';
import { relaxedSimd, simd } from '../../src/backends/wasm/generated/kernels.ts';
import { TILE } from '../../src/backends/wasm/layout.ts';
import { FLUSH_FRAMES } from '../../src/ops/diagonal-scan.ts';

describe('the WebAssembly builds', () => {
  it('decode from base64 as Buffer does', () => {
    for (let length = 0; length < 9; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 97 + 200) & 255);
      expect(decodeBase64(Buffer.from(bytes).toString('base64'))).toEqual(bytes);
    }
    expect(decodeBase64(simd)).toEqual(Uint8Array.from(Buffer.from(simd, 'base64')));
  });

  it('are small', () => {
    // Kernels of every op that published networks spend time in: a page loads them once.
    expect(decodeBase64(simd).length).toBeLessThan(64_000);
    expect(decodeBase64(relaxedSimd).length).toBeLessThan(64_000);
  });

  it('end their tiles where the op flushes its state', () => {
    expect(TILE).toBe(FLUSH_FRAMES);
  });
});

describe('the choice of a backend', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  /** The backend's modules anew, in an engine that takes only builds of the sizes given. */
  async function engine(accepts: (bytes: Uint8Array) => boolean) {
    const real = (globalThis as unknown as { WebAssembly: Record<string, unknown> }).WebAssembly;
    vi.resetModules();
    vi.stubGlobal('WebAssembly', { ...real, Module: real['Module'], validate: accepts });
    return import('../../src/backends/wasm/index.ts');
  }
  const isSimd = (bytes: Uint8Array): boolean => bytes.length === decodeBase64(simd).length;

  it('is relaxed SIMD where the engine has it, and SIMD where results must not depend on the machine', async () => {
    const { wasm, defaultBackend } = await engine(() => true);
    expect(wasm().name).toBe('wasm-relaxed-simd');
    expect(defaultBackend().name).toBe('wasm-relaxed-simd');
    expect(wasm({ deterministic: true }).name).toBe('wasm-simd');
  });

  it('is SIMD without relaxed SIMD', async () => {
    const { wasm, wasmSequences } = await engine(isSimd);
    expect(wasm().name).toBe('wasm-simd');
    expect(wasmSequences().name).toBe('wasm-simd');
  });

  it('is the reference without SIMD, and wasm() says why it cannot be had', async () => {
    const { wasm, wasmSequences, defaultBackend } = await engine(() => false);
    expect(() => wasm()).toThrow(/SIMD.*reference/);
    expect(() => wasmSequences()).toThrow(/SIMD/);
    expect(defaultBackend().name).toBe('reference');
  });

  it('is the reference without WebAssembly', async () => {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', undefined);
    const { defaultBackend } = await import('../../src/backends/wasm/index.ts');
    expect(defaultBackend().name).toBe('reference');
  });
});
