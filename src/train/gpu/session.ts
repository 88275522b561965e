import { layOutWeights, Store, type TrainingDevice } from '../../backends/gpu/training/index.ts';
import { ArgumentError, BackendError } from '../../errors.ts';
import { sizeOf, type FloatArray } from '../../signal/index.ts';
import { checkParameters, environmentAt } from '../../stream/constants.ts';
import type { LossOutput } from '../loss.ts';
import { isMask } from '../masks.ts';
import type {
  Batch,
  BatchGradients,
  Evaluation,
  SessionState,
  StepReport,
  TrainingJob,
  TrainingSession,
} from '../session.ts';
import { adamwNow } from './adamw.ts';
import { lossKernelsOf } from './losses/index.ts';
import { build, type BatchShape, type Built, type Purpose } from './plans.ts';

/** Shapes of batches that stay compiled; the least recently used goes first. */
const KEPT = 12;

/** One model in training on the device. */
export class GpuSession implements TrainingSession {
  readonly name: string;
  readonly #device: TrainingDevice;
  readonly #job: TrainingJob;
  readonly #store: Store;
  readonly #built = new Map<string, Built>();
  readonly #offsets: ReadonlyMap<string, number>;
  readonly #size: number;
  /** One run at a time: what is stored is one. */
  #last: Promise<unknown> = Promise.resolve();
  #open = true;

  constructor(device: TrainingDevice, name: string, job: TrainingJob) {
    this.name = name;
    this.#device = device;
    this.#job = job;
    const { offsets, size } = layOutWeights(job.graph);
    this.#offsets = offsets;
    this.#size = size;
    const weights = new Float32Array(size);
    for (const [parameter, values] of checkParameters(job.graph, job.parameters)) {
      weights.set(values, offsets.get(parameter)!);
    }
    this.#store = new Store(
      new Map([
        ['weights', weights],
        ['m', new Float32Array(size)],
        ['v', new Float32Array(size)],
      ]),
    );
  }

  step(batch: Batch, at: { readonly step: number; readonly rate: number }): Promise<StepReport> {
    return this.#next(async () => {
      const now = adamwNow(this.#job.optimizer, at);
      const { built, results, loss } = await this.#train('step', batch, new Map([['now', now]]));
      const report = { loss, gradientNorm: Math.sqrt(results.get('report')![1]!) };
      if (Number.isFinite(report.loss) && Number.isFinite(report.gradientNorm)) {
        this.#store.keep(built.pipeline, results);
      }
      return report;
    });
  }

  gradients(batch: Batch): Promise<BatchGradients> {
    return this.#next(async () => {
      const { results, loss } = await this.#train('gradients', batch, new Map());
      return { loss, parameters: this.#apart(results.get('slopes')!) };
    });
  }

  evaluate(batch: Batch): Promise<Evaluation> {
    return this.#next(async () => {
      const purpose = lossKernelsOf(this.#job.loss) ? 'evaluate' : 'outputs';
      const { built, results } = await this.#run(purpose, batch, new Map());
      const outputs = this.#outputs(built, batch, results);
      const loss = results.get('loss')?.[0] ?? this.#hostLoss(built, batch, outputs).loss;
      return { loss, outputs };
    });
  }

  save(): Promise<SessionState> {
    return this.#next(async () => {
      const stored = await this.#store.read();
      const moments = new Map<string, Float32Array>();
      const m = this.#apart(stored.get('m')!);
      const v = this.#apart(stored.get('v')!);
      for (const name of this.#offsets.keys()) {
        moments.set(`${name}.m`, m.get(name)!);
        moments.set(`${name}.v`, v.get(name)!);
      }
      return { parameters: this.#apart(stored.get('weights')!), moments };
    });
  }

  restore({ parameters, moments }: SessionState): Promise<void> {
    return this.#next(async () => {
      const together = (from: ReadonlyMap<string, FloatArray>, ending: string): Float32Array => {
        const all = new Float32Array(this.#size);
        for (const [name, offset] of this.#offsets) {
          const values = from.get(`${name}${ending}`);
          const size = sizeOf(this.#job.graph.parameters.get(name)!.shape);
          if (values?.length !== size) {
            throw new ArgumentError(
              `the state to be restored has ${values === undefined ? 'no' : `${values.length} numbers of`} ` +
                `"${name}${ending}", the model ${size}; restore what a session of the same model has saved`,
            );
          }
          all.set(values, offset);
        }
        return all;
      };
      this.#store.write(
        new Map([
          ['weights', together(parameters, '')],
          ['m', together(moments, '.m')],
          ['v', together(moments, '.v')],
        ]),
      );
    });
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#last;
    for (const { pipeline } of this.#built.values()) await pipeline.destroy();
    this.#built.clear();
    this.#store.close();
  }

  /** Milliseconds of each kernel of a step by itself, for tables of where the time goes; only on a real device. */
  profile(batch: Batch, times: number): Promise<{ readonly label: string; readonly ms: number }[]> {
    return this.#next(async () => {
      const shape = shapeOf(this.#job, batch);
      const built = this.#find('step', shape);
      const { resident, plan } = built.pipeline;
      if (!resident) throw new BackendError('profile: take two steps first, in mode webgpu');
      const spent = await resident.profile(times);
      return plan.calls.map(({ label }, i) => ({ label, ms: spent[i]! }));
    });
  }

  #next<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => {
      if (!this.#open) throw new BackendError(`the session on ${this.name} is closed; open another`);
      return work();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** A run that needs the loss's slopes: on the device where it has kernels, by way of the host elsewhere. */
  async #train(
    purpose: 'step' | 'gradients',
    batch: Batch,
    given: ReadonlyMap<string, Float32Array>,
  ): Promise<{ built: Built; results: Map<string, Float32Array>; loss: number }> {
    if (lossKernelsOf(this.#job.loss)) {
      const { built, results } = await this.#run(purpose, batch, given);
      return { built, results, loss: results.get('report')![0]! };
    }
    const ahead = await this.#run('outputs', batch, new Map());
    const outputs = this.#outputs(ahead.built, batch, ahead.results);
    const { loss, slopes } = this.#hostLoss(ahead.built, batch, outputs, true);
    const { built, results } = await this.#run(purpose, batch, new Map([...given, ...slopes]));
    return { built, results, loss };
  }

  async #run(
    purpose: Purpose,
    batch: Batch,
    more: ReadonlyMap<string, Float32Array>,
  ): Promise<{ built: Built; results: Map<string, Float32Array> }> {
    if (batch.carried === true) {
      throw new BackendError(
        'training on the GPU does not carry state from batch to batch; leave carried out, or train on the CPU',
      );
    }
    const built = this.#find(purpose, shapeOf(this.#job, batch));
    const given = new Map(more);
    given.set('lengths', built.network.lengthsOf(batch.lengths));
    for (const port of this.#job.graph.inputs.keys()) {
      const name = `input.${port}`;
      const dims = built.dims.get(name)!;
      const data = batch.inputs[port]!;
      given.set(name, isMask(port) ? firstFrames(data, batch.items, dims) : padded(data, batch.items, dims));
    }
    for (const [target, data] of Object.entries(batch.targets)) {
      given.set(`target.${target}`, Float32Array.from(data));
    }
    return { built, results: await this.#store.run(built.pipeline, given) };
  }

  #find(purpose: Purpose, shape: BatchShape): Built {
    const key = JSON.stringify([purpose, shape]);
    let found = this.#built.get(key);
    if (found) {
      this.#built.delete(key);
    } else {
      const environment = environmentAt(this.#job.graph, this.#job.sampleRate);
      found = build(this.#device, this.#job, environment, purpose, shape);
      for (const [old, { pipeline }] of this.#built) {
        if (this.#built.size < KEPT) break;
        this.#built.delete(old);
        void pipeline.destroy();
      }
    }
    this.#built.set(key, found);
    return found;
  }

  /** What came down, with zeros where frames don't count. */
  #outputs(
    { network }: Built,
    batch: Batch,
    results: ReadonlyMap<string, Float32Array>,
  ): Record<string, Float32Array> {
    const { graph } = this.#job;
    const lengths = network.lengthsOf(batch.lengths);
    return Object.fromEntries(
      [...graph.outputs].map(([port, node]) => {
        const data = results.get(`output.${port}`)!.slice();
        const { row, frames } = network.clock(node);
        const width = sizeOf(node.shape);
        for (let item = 0; item < batch.items; item++) {
          const end = lengths[row * batch.items + item]!;
          data.fill(0, (item * frames + end) * width, (item + 1) * frames * width);
        }
        return [port, data];
      }),
    );
  }

  /** The loss item by item on the host, and its slopes for the device. */
  #hostLoss(
    { network }: Built,
    batch: Batch,
    outputs: Readonly<Record<string, Float32Array>>,
    withSlopes = false,
  ): { loss: number; slopes: Map<string, Float32Array> } {
    const { graph, loss } = this.#job;
    const lengths = network.lengthsOf(batch.lengths);
    const slopes = new Map<string, Float32Array>();
    let sum = 0;
    for (let item = 0; item < batch.items; item++) {
      const found: Record<string, LossOutput> = {};
      for (const [port, node] of graph.outputs) {
        const { row, frames } = network.clock(node);
        const channels = sizeOf(node.shape);
        const count = lengths[row * batch.items + item]!;
        const from = item * frames * channels;
        found[port] = {
          frames: count,
          channels,
          data: outputs[port]!.subarray(from, from + count * channels),
          gradient: withSlopes ? new Float64Array(count * channels) : undefined,
        };
      }
      sum += loss.evaluate({ outputs: found, targets: targetsOf(batch, item) }) / batch.items;
      if (!withSlopes) continue;
      for (const [port, node] of graph.outputs) {
        const name = `slope.${port}`;
        const size = network.clock(node).frames * sizeOf(node.shape);
        const all = slopes.get(name) ?? new Float32Array(size * batch.items);
        found[port]!.gradient!.forEach((slope, i) => (all[item * size + i] = slope / batch.items));
        slopes.set(name, all);
      }
    }
    return { loss: sum, slopes };
  }

  #apart(all: Float32Array): Map<string, Float32Array> {
    return new Map(
      [...this.#offsets].map(([name, offset]) => [
        name,
        all.slice(offset, offset + sizeOf(this.#job.graph.parameters.get(name)!.shape)),
      ]),
    );
  }
}

/** Checks a batch, and says what a plan has to know of it. */
function shapeOf({ graph, loss }: TrainingJob, batch: Batch): BatchShape {
  const { items, frames, lengths } = batch;
  if (lengths.length !== items || lengths.some((length) => !(length >= 1 && length <= frames))) {
    throw new ArgumentError(
      `the batch's lengths are ${lengths.join(', ')}; give one from 1 to ${frames} for each of ${items} items`,
    );
  }
  const ownFrames: Record<string, number> = {};
  for (const [port, node] of graph.inputs) {
    const width = sizeOf(node.shape);
    const size = (batch.inputs[port]?.length ?? 0) / items;
    const mask = isMask(port);
    if (batch.inputs[port] === undefined || (mask ? size % width !== 0 : size !== frames * width)) {
      throw new ArgumentError(
        `the batch brings ${batch.inputs[port]?.length ?? 'no'} numbers for the input "${port}" of ${graph.name}; it takes ` +
          `${items} items × ${frames} frames × ${width}`,
      );
    }
    if (mask) ownFrames[port] = isTied(batch.inputs[port], items, width) ? 1 : size / width;
  }
  const targetSizes: Record<string, number> = {};
  for (const name of loss.targets) {
    const data = batch.targets[name];
    if (data === undefined || data.length % items !== 0) {
      throw new ArgumentError(
        `the loss ${loss.kind} needs the target "${name}", ${data === undefined ? 'which the batch does not bring' : `of which the batch has ${data.length} numbers for ${items} items`}`,
      );
    }
    targetSizes[name] = data.length / items;
  }
  return { items, frames, ownFrames, targetSizes };
}

/** Frames that are compared; more where they are so narrow that masks may be equal by chance. */
const COMPARED = 256;

/** Whether every frame of a mask is the first one again, so that one need travel. */
function isTied(mask: Float32Array, items: number, width: number): boolean {
  const size = mask.length / items;
  const stride = width >= 64 ? Math.max(1, Math.floor(size / width / COMPARED)) * width : width;
  for (let item = 0; item < items; item++) {
    for (let frame = item * size; frame < (item + 1) * size; frame += stride) {
      for (let i = 0; i < width; i++) if (mask[frame + i] !== mask[item * size + i]) return false;
    }
  }
  return true;
}

/** As many frames of each item as the device takes. */
function firstFrames(data: Float32Array, items: number, dims: readonly number[]): Float32Array {
  const size = dims[0]! * dims[1]!;
  const given = data.length / items;
  if (given === size) return data;
  const all = new Float32Array(size * items);
  for (let item = 0; item < items; item++)
    all.set(data.subarray(item * given, item * given + size), item * size);
  return all;
}

/** What an item is compared with. */
const targetsOf = ({ items, targets }: Batch, item: number): Record<string, FloatArray> =>
  Object.fromEntries(
    Object.entries(targets).map(([name, data]) => {
      const size = data.length / items;
      return [name, data.subarray(item * size, (item + 1) * size)];
    }),
  );

/** items × frames × channels with the zeros that the end rule appends. */
function padded(data: Float32Array, items: number, dims: readonly number[]): Float32Array {
  const [width, frames] = dims as [number, number];
  const size = width * frames;
  const given = data.length / items;
  if (given === size) return data;
  const all = new Float32Array(size * items);
  for (let item = 0; item < items; item++) {
    all.set(data.subarray(item * given, item * given + Math.min(given, size)), item * size);
  }
  return all;
}
