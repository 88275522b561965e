/**
 * The shape of workgroups. gpu.js 2.24 gives a kernel of several dimensions groups of 8 × 8 threads, so that neighbours in
 * a group read from several rows at once, and one of one dimension groups of 64; a large device spends its time starting
 * them. Here they are 256 threads, 32 of them along the first axis where it goes that far: neighbours read neighbouring
 * numbers.
 * Nothing else depends on it: where gpu.js writes its shaders in another way, its own groups stay.
 */

/** Threads of a group, WebGPU's least limit. */
const THREADS = 256;

/** As many of them along the first axis as run in step: they read one line of memory together. */
const ALONG = 32;

/** Whatever makes kernels. */
interface KernelMaker<Kernel> {
  createKernel(source: string, settings: object): Kernel;
}

interface ShaderKernel {
  readonly output: readonly number[];
  workgroupSize: readonly number[];
  assembleWGSL?: () => string;
}

/** Every kernel that this instance makes from here on, those that its pipelines make for themselves included. */
export function widenWorkgroups<Kernel>(gpuJs: KernelMaker<Kernel>): void {
  const create = gpuJs.createKernel.bind(gpuJs);
  gpuJs.createKernel = (source, settings) => {
    const shortcut = create(source, settings);
    const kernel = (shortcut as unknown as { kernel?: ShaderKernel }).kernel;
    const assemble = kernel?.assembleWGSL?.bind(kernel);
    if (kernel && assemble) {
      kernel.assembleWGSL = () => {
        const text = assemble();
        const [x, y] = tileOf(kernel.output);
        const found = /@workgroup_size\((?:8, 8|64, 1), 1\)/.test(text);
        if (!found) return text;
        kernel.workgroupSize = [x, y, 1];
        return text.replace(/@workgroup_size\([^)]*\)/, `@workgroup_size(${x}, ${y}, 1)`);
      };
    }
    return shortcut;
  };
}

function tileOf([width = 1, ...more]: readonly number[]): readonly [number, number] {
  if (more.length === 0) return [THREADS, 1];
  let x = 1;
  while (x < width && x < ALONG) x *= 2;
  return [x, THREADS / x];
}
