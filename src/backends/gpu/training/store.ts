import type { DevicePipeline } from './pipeline.ts';
import type { Device, DeviceBuffer } from './resident.ts';

const STORAGE_AND_COPIES = 0x0080 | 0x0004 | 0x0008;
const MAP_READ_AND_COPY = 0x0001 | 0x0008;
const MAP_READ = 1;

/**
 * Arrays that outlive a run, by name: weights and moments. Where the device can keep them they live there, in buffers of
 * their own, and every pipeline has a copy; a run counts only once it has been kept, so that one that went wrong is
 * as if it had not been. Elsewhere they travel up and down.
 */
export class Store {
  #host: Map<string, Float32Array> | undefined;
  #buffers: Map<string, DeviceBuffer> | undefined;
  #device: Device | undefined;
  readonly #sizes = new Map<string, number>();
  /** Counts changes; what a pipeline has is of one of them. */
  #version = 0;
  readonly #held = new WeakMap<DevicePipeline, number>();

  constructor(values: ReadonlyMap<string, Float32Array>) {
    this.#host = new Map(values);
    for (const [name, { length }] of values) this.#sizes.set(name, length);
  }

  get names(): readonly string[] {
    return [...this.#sizes.keys()];
  }

  /** Runs a pipeline on what is stored. Its arguments of those names are the store's. */
  async run(
    pipeline: DevicePipeline,
    given: ReadonlyMap<string, Float32Array>,
  ): Promise<Map<string, Float32Array>> {
    const { resident } = pipeline;
    const own = this.names.filter((name) =>
      pipeline.plan.arguments.some((argument) => argument.name === name),
    );
    if (!resident) {
      const all = new Map(given);
      for (const [name, values] of await this.read(own)) all.set(name, values);
      const results = await pipeline.run(all, this.names);
      this.#held.set(pipeline, this.#version);
      return results;
    }
    if (this.#held.get(pipeline) !== this.#version) {
      const buffers = this.#onDevice(resident.device);
      const encoder = resident.device.createCommandEncoder();
      for (const [name, buffer] of resident.arguments) {
        encoder.copyBufferToBuffer(buffers.get(name)!, 0, buffer, 0, 4 * this.#sizes.get(name)!);
      }
      resident.device.queue.submit([encoder.finish()]);
      this.#held.set(pipeline, this.#version);
    }
    return pipeline.run(given, this.names);
  }

  /** Takes the results of the pipeline's last run over, by the names of what they replace. */
  keep(pipeline: DevicePipeline, results: ReadonlyMap<string, Float32Array>): void {
    const { resident } = pipeline;
    this.#version++;
    // The first run of a pipeline brings its results down.
    if (!resident || this.names.every((name) => results.has(name))) {
      this.#release();
      this.#host = new Map(this.names.map((name) => [name, results.get(name)!]));
      return;
    }
    const buffers = this.#onDevice(resident.device);
    const encoder = resident.device.createCommandEncoder();
    for (const [name, buffer] of resident.results) {
      encoder.copyBufferToBuffer(buffer, 0, buffers.get(name)!, 0, 4 * this.#sizes.get(name)!);
    }
    resident.device.queue.submit([encoder.finish()]);
    this.#host = undefined;
  }

  /** What is stored, on the host. */
  async read(names: readonly string[] = this.names): Promise<Map<string, Float32Array>> {
    if (this.#host) return new Map(names.map((name) => [name, this.#host!.get(name)!]));
    const found = new Map<string, Float32Array>();
    for (const name of names) {
      const bytes = 4 * this.#sizes.get(name)!;
      const staging = this.#device!.createBuffer({ size: bytes, usage: MAP_READ_AND_COPY });
      const encoder = this.#device!.createCommandEncoder();
      encoder.copyBufferToBuffer(this.#buffers!.get(name)!, 0, staging, 0, bytes);
      this.#device!.queue.submit([encoder.finish()]);
      await staging.mapAsync(MAP_READ);
      found.set(name, new Float32Array(staging.getMappedRange().slice(0)));
      staging.unmap();
      staging.destroy();
    }
    return found;
  }

  write(values: ReadonlyMap<string, Float32Array>): void {
    this.#release();
    this.#host = new Map(values);
    this.#version++;
  }

  close(): void {
    this.#release();
  }

  #release(): void {
    for (const buffer of this.#buffers?.values() ?? []) buffer.destroy();
    this.#buffers = undefined;
    this.#device = undefined;
  }

  /** Buffers on the device, with what the host has. */
  #onDevice(device: Device): Map<string, DeviceBuffer> {
    if (this.#buffers && this.#device === device) return this.#buffers;
    this.#device = device;
    this.#buffers = new Map(
      [...this.#sizes].map(([name, length]) => [
        name,
        device.createBuffer({ size: 4 * length, usage: STORAGE_AND_COPIES }),
      ]),
    );
    for (const [name, values] of this.#host ?? []) {
      device.queue.writeBuffer(this.#buffers.get(name)!, 0, values);
    }
    return this.#buffers;
  }
}
