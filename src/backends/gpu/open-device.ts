/**
 * Where gpu.js and webgpu are loaded, and nowhere else: a program that never asks for a GPU needs neither.
 */
import { BackendError } from '../../errors.ts';
import { widenWorkgroups } from './workgroups.ts';

export type GpuMode = 'webgpu' | 'webasm' | 'cpu';

/** The part of gpu.js that is used here. */
export interface GpuJs {
  createKernel(source: string, settings: object): Kernel;
  createPipeline(orchestrate: (...handles: unknown[]) => unknown, settings?: object): Pipeline;
  addFunction(source: string): GpuJs;
  destroy(): Promise<void>;
}

export interface Kernel {
  (...inputs: unknown[]): unknown;
  destroy(): void;
}

export interface Pipeline {
  (...inputs: Float32Array[]): Promise<Float32Array[]>;
  /** The mode that runs; null before the first call. */
  readonly backend: string | null;
  readonly executorKind: string;
  readonly fallbackReason: string | null;
  destroy(): Promise<void>;
}

interface GpuJsModule {
  readonly input: (values: Float32Array, dims: readonly number[]) => unknown;
  readonly GPU: new (settings: { mode: GpuMode }) => GpuJs;
  readonly WebGPUContext: { destroy(): Promise<void> };
}

/** The part of WebGPU's adapter that is used here. */
interface Adapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
  };
  readonly limits?: { readonly maxStorageBuffersPerShaderStage: number };
  requestDevice(descriptor?: DeviceDescriptor): Promise<unknown>;
}

interface DeviceDescriptor {
  readonly requiredLimits?: Readonly<Record<string, number>>;
}

interface WebGpu {
  requestAdapter(): Promise<Adapter | null>;
}

export interface OpenDevice {
  readonly gpuJs: GpuJs;
  /** A flat array as one of several dimensions, the first varying fastest. */
  readonly toInput: (values: Float32Array, dims: readonly number[]) => unknown;
  readonly adapter: string;
  close(): Promise<void>;
}

/**
 * Opens one mode.
 *
 * @throws BackendError that says what is missing and what to do about it.
 */
export async function openDevice(mode: GpuMode): Promise<OpenDevice> {
  const { GPU, WebGPUContext, input: toInput } = await loadGpuJs();
  if (mode !== 'webgpu') {
    const gpuJs = new GPU({ mode });
    const adapter = mode === 'webasm' ? 'WebAssembly on the CPU' : 'JavaScript on the CPU';
    return { gpuJs, toInput, adapter, close: () => gpuJs.destroy() };
  }
  users++;
  try {
    const adapter = describe(await requestAdapter());
    const gpuJs = new GPU({ mode });
    widenWorkgroups(gpuJs);
    return {
      gpuJs,
      toInput,
      adapter,
      async close() {
        await gpuJs.destroy();
        await release(WebGPUContext);
      },
    };
  } catch (error) {
    await release(WebGPUContext);
    throw error;
  }
}

async function loadGpuJs(): Promise<GpuJsModule> {
  try {
    return (await import('gpu.js')) as unknown as GpuJsModule;
  } catch (cause) {
    throw new BackendError(
      'the GPU backend needs gpu.js, which cannot be loaded: npm install gpu.js webgpu',
      {
        cause,
      },
    );
  }
}

/** Backends that are open on WebGPU: gpu.js shares one device among them all, and the last one takes it down. */
let users = 0;

/** Whether navigator.gpu is ours to take away again. */
let ours = false;

async function release(context: GpuJsModule['WebGPUContext']): Promise<void> {
  if (--users > 0) return;
  await context.destroy();
  if (!ours || users > 0) return;
  ours = false;
  delete navigatorOfThisProcess().gpu;
}

/** gpu.js looks for `navigator.gpu`, which Node has not: `webgpu` (Dawn) gives it. */
async function requestAdapter(): Promise<Adapter> {
  const holder = navigatorOfThisProcess();
  if (!holder.gpu) {
    const { create, globals } = await loadWebGpu();
    Object.assign(globalThis, globals);
    Object.defineProperty(holder, 'gpu', {
      value: withMoreArrays(create([])),
      configurable: true,
    });
    ours = true;
  }
  let cause: unknown;
  try {
    const adapter = await holder.gpu!.requestAdapter();
    if (adapter) return adapter;
  } catch (error) {
    cause = error;
  }
  throw new BackendError(
    'WebGPU finds no adapter: install a Vulkan driver for the GPU, or set VK_ICD_FILENAMES to the file of a software ' +
      "driver (Debian's package chromium brings /usr/lib/chromium/vk_swiftshader_icd.json), or ask for mode webasm",
    { cause },
  );
}

/** Arrays that a kernel may have where the adapter allows it: its inputs and its output. */
const ARRAYS = 12;

/** gpu.js asks for large buffers, but for no more than eight of them in a kernel, which is WebGPU's default. */
function withMoreArrays(gpu: WebGpu): WebGpu {
  return {
    async requestAdapter() {
      const adapter = await gpu.requestAdapter();
      if (!adapter) return null;
      const maxStorageBuffersPerShaderStage = Math.min(
        ARRAYS,
        adapter.limits?.maxStorageBuffersPerShaderStage ?? 8,
      );
      const requestDevice = adapter.requestDevice.bind(adapter);
      Object.defineProperty(adapter, 'requestDevice', {
        value: (descriptor: DeviceDescriptor = {}) =>
          requestDevice({
            ...descriptor,
            requiredLimits: { ...descriptor.requiredLimits, maxStorageBuffersPerShaderStage },
          }),
      });
      return adapter;
    },
  };
}

async function loadWebGpu(): Promise<{ create(options: string[]): WebGpu; globals: object }> {
  try {
    return (await import('webgpu')) as unknown as { create(options: string[]): WebGpu; globals: object };
  } catch (cause) {
    throw new BackendError(
      'the GPU backend in mode webgpu needs webgpu, which cannot be loaded: npm install gpu.js webgpu',
      { cause },
    );
  }
}

function describe({ info }: Adapter): string {
  const words = [info.description || info.device, info.vendor, info.architecture];
  return words.filter((word) => word !== '').join(', ') || 'unnamed adapter';
}

function navigatorOfThisProcess(): { gpu?: WebGpu } {
  if (globalThis.navigator === undefined) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  }
  return globalThis.navigator as { gpu?: WebGpu };
}
