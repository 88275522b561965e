/** The part of a Rollup plugin in use: Rollup, Rolldown and Vite take it. */
export interface BundlerPlugin {
  readonly name: string;
  load(id: string): string | undefined;
}

/**
 * For bundles that filter and no more: leaves the WebAssembly kernels out, which are three quarters of a small page.
 * Streams run on the reference backend then, as they do where there is no WebAssembly; classical filters, which run in
 * float64, have no use for the kernels anyway.
 *
 * @example
 * // vite.config.js
 * import { withoutKernels } from 'statewave/web';
 * export default { plugins: [withoutKernels()] };
 */
export const withoutKernels = (): BundlerPlugin => ({
  name: 'statewave-without-kernels',
  load(id) {
    const extension = /\/backends\/wasm\/index\.([jt]s)$/.exec(id)?.[1];
    if (extension === undefined) return undefined;
    return `
      import { BackendError } from '../../errors.${extension}';
      import { reference } from '../reference/index.${extension}';
      export const defaultBackend = () => reference;
      export const wasm = () => {
        throw new BackendError('this bundle has no kernels: leave withoutKernels() out, or use defaultBackend()');
      };
    `;
  },
});
