import { StreamError } from '../errors.ts';
import type { FloatArray, Schedule } from '../signal/index.ts';
import type { Executor } from './executor.ts';
import { firstNonFinite, mendNonFinite, type Diagnostic, type NonFinitePolicy } from './non-finite.ts';
import type { Program } from './program.ts';
import type { Running } from './running.ts';

/** One array for the only port, or one for each by name. Frames × channels, time-major. */
export type Block = FloatArray | Readonly<Record<string, FloatArray>>;

interface Port {
  readonly name: string;
  readonly node: Running;
}

/** An output port of a running stream. */
interface OutputPort extends Port {
  /** What came out last: where nothing is kept, blocks of one size come from one place and need no new view. */
  view: FloatArray;
  /** The buffer that it is a view of: known by itself, since asking an array for its memory takes longer than copying. */
  viewOf: FloatArray;
  /** Views made so far. */
  views: number;
}

/** Sizes of output that get a view of their own; where they keep changing, a loop copies. */
export const MOST_VIEWS = 16;

/** An input port of a running stream. */
interface InputPort extends Port {
  /** The last finite value of each channel, for the policy `hold`. */
  readonly held: Float64Array;
}

/** The caller's side of a stream's inputs. Everything here is reused by every call, so that nothing becomes garbage. */
export class InputPorts {
  readonly ports: readonly InputPort[];
  /** The caller's arrays, in the order of the ports; undefined where zeros go in. */
  readonly blocks: (FloatArray | undefined)[];
  readonly #model: string;

  constructor({ graph }: Program, executor: Executor) {
    this.#model = graph.name;
    this.ports = [...graph.inputs].map(([name, { id }]) => {
      const node = executor.at(id);
      return { name, node, held: new Float64Array(node.step.width) };
    });
    this.blocks = this.ports.map(() => undefined);
  }

  /** Takes the caller's arrays, and says how many frames they hold: as many at every port. */
  assign(block: Block): number {
    assign(this.#model, this.ports, block, this.blocks, 'input');
    let frames = -1;
    for (let i = 0; i < this.ports.length; i++) {
      const { name, node } = this.ports[i]!;
      const { length } = this.blocks[i]!;
      const count = length / node.step.width;
      if (!Number.isInteger(count)) {
        throw new StreamError(
          `input "${name}" has ${length} values, which is no whole number of frames of ${node.step.width} channels; ` +
            'give frames × channels, time-major',
        );
      }
      if (frames >= 0 && count !== frames) {
        throw new StreamError(
          `input "${name}" has ${count} frames, "${this.ports[0]!.name}" has ${frames}; give all ports as many`,
        );
      }
      frames = count;
    }
    return frames;
  }

  /** Zeros instead of the caller's arrays. */
  assignZeros(): void {
    this.blocks.fill(undefined);
  }

  /** The arrays that another lane takes from. */
  share({ blocks }: InputPorts): void {
    for (let i = 0; i < blocks.length; i++) this.blocks[i] = blocks[i];
  }

  /** @param seen frames that the stream took before, for the message. */
  refuseNonFinite(frames: number, seen: number): void {
    for (let i = 0; i < this.ports.length; i++) {
      const { name, node } = this.ports[i]!;
      const { width } = node.step;
      const bad = firstNonFinite(this.blocks[i]!, 0, frames * width);
      if (bad < 0) continue;
      throw new StreamError(
        `input "${name}" is ${this.blocks[i]![bad]} at frame ${seen + Math.floor(bad / width)}, ` +
          `channel ${bad % width}; mend it, or set nonFinite to 'hold', 'zero' or 'reset'`,
      );
    }
  }

  /** How many of `count` frames from `first` on come before one that is not finite at some port. */
  cleanFrames(first: number, count: number): number {
    let clean = count;
    for (let i = 0; i < this.ports.length; i++) {
      const { width } = this.ports[i]!.node.step;
      const bad = firstNonFinite(this.blocks[i]!, first * width, (first + count) * width);
      if (bad >= 0) clean = Math.min(clean, Math.floor(bad / width) - first);
    }
    return clean;
  }

  /**
   * Moves `count` frames from `first` on into the graph's buffers, mended by the policy.
   *
   * @param seen frames that the stream took before, for what is told.
   */
  feed(
    executor: Executor,
    first: number,
    count: number,
    policy: NonFinitePolicy,
    seen: number,
    tell: ((diagnostic: Diagnostic) => void) | undefined,
  ): void {
    for (let i = 0; i < this.ports.length; i++) {
      const { node, name, held } = this.ports[i]!;
      const { width } = node.step;
      const from = this.blocks[i];
      const at = executor.reserve(node, count);
      if (from === undefined) {
        node.data.fill(0, at, at + count * width);
        continue;
      }
      if (count * width > FEW && first === 0 && from.length === count * width) node.data.set(from, at);
      else copyNumbers(from, first * width, node.data, at, count * width);
      if (policy === 'throw') continue;
      const replaced = mendNonFinite(node.data, at, count, held, policy === 'hold');
      if (replaced === 0) continue;
      const bad = firstNonFinite(from, first * width, (first + count) * width);
      const frame = seen + Math.floor(bad / width);
      tell?.({
        kind: 'non-finite',
        port: name,
        frame,
        channel: bad % width,
        count: replaced,
        action: policy,
      });
    }
  }
}

/** The caller's side of a stream's outputs. */
export class OutputPorts {
  readonly ports: readonly OutputPort[];
  readonly #blocks: (FloatArray | undefined)[];
  /** Frames written by the call that is running, at each port. */
  readonly #written: number[];
  readonly #model: string;
  readonly #schedule: Schedule;

  constructor({ graph, schedule }: Program, executor: Executor) {
    this.#model = graph.name;
    this.#schedule = schedule;
    this.ports = [...graph.outputs].map(([name, { id }]) => {
      const node = executor.at(id);
      return { name, node, view: node.data, viewOf: node.data, views: 0 };
    });
    this.#blocks = this.ports.map(() => undefined);
    this.#written = this.ports.map(() => 0);
  }

  /** Frames written to the first port since `assign`. */
  get written(): number {
    return this.#written[0]!;
  }

  /**
   * Takes the caller's arrays.
   *
   * @param total input frames that the stream will have taken when the call is done, and whether it has ended then:
   *   there must be room for what comes of them.
   */
  assign(block: Block, total: number, ended: boolean): void {
    assign(this.#model, this.ports, block, this.#blocks, 'output');
    for (let i = 0; i < this.ports.length; i++) {
      const { name, node } = this.ports[i]!;
      const { width } = node.step;
      this.#written[i] = 0;
      const frames = this.#schedule.emitted(node.step.node.id, total, ended) - node.produced;
      if (this.#blocks[i]!.length < frames * width) {
        throw new StreamError(
          `output "${name}" has room for ${Math.floor(this.#blocks[i]!.length / width)} frames, but ${frames} ` +
            `of ${width} channels are ready; size it by maxOutput()`,
        );
      }
    }
  }

  /** Copies what has come out since the last time to the caller's arrays. */
  drain(): void {
    for (let i = 0; i < this.ports.length; i++) {
      const port = this.ports[i]!;
      const { drained, produced, base, step } = port.node;
      const size = (produced - drained) * step.width;
      bringOut(port, (drained - base) * step.width, size, this.#blocks[i]!, this.#written[i]! * step.width);
      this.#written[i]! += produced - drained;
      port.node.drained = produced;
    }
  }

  /** Room of its own for what one pass brings, instead of the caller's arrays. */
  makeRoom(): void {
    this.ports.forEach(({ node: { step } }, i) => {
      const size = step.capacity * step.width;
      this.#blocks[i] = step.buffer.type === 'float64' ? new Float64Array(size) : new Float32Array(size);
    });
  }

  /** The sizes of blocks that there were say nothing about those to come. */
  forgetSizes(): void {
    for (const port of this.ports) port.views = 0;
  }

  drainToRoom(): void {
    this.#written.fill(0);
    this.drain();
  }

  /** The caller's arrays of another lane, which has written to them so far. */
  takeOver(other: OutputPorts): void {
    for (let i = 0; i < this.ports.length; i++) {
      this.#blocks[i] = other.#blocks[i];
      this.#written[i] = other.#written[i]!;
    }
  }

  /** What the latest `drain` wrote, turned over to what stands in `coming`'s room: frame by frame a little more of it. */
  blend(coming: OutputPorts, fade: { readonly start: number; readonly frames: number }): void {
    for (let i = 0; i < this.ports.length; i++) {
      const { step, produced } = this.ports[i]!.node;
      const { width, node } = step;
      const frames = coming.#written[i]!;
      const to = this.#blocks[i]!;
      const from = coming.#blocks[i]!;
      const rate = node.rate === 'constant' ? 0 : node.rate.numerator / node.rate.denominator;
      const at = (this.#written[i]! - frames) * width;
      for (let k = 0; k < frames; k++) {
        const weight = weightAt(produced - frames + k, rate, fade);
        for (let c = k * width; c < (k + 1) * width; c++)
          to[at + c] = weight === 1 ? from[c]! : to[at + c]! + weight * (from[c]! - to[at + c]!);
      }
    }
  }
}

/** How much of what comes goes into output frame `frame`, of a port with so many frames for each of the input. */
function weightAt(frame: number, rate: number, { start, frames }: { start: number; frames: number }): number {
  const part = ((frame + 1) / rate - start) / frames;
  return part <= 0 ? 0 : part >= 1 ? 1 : part;
}

/** The caller's array for each port, in their order. */
export function assign(
  model: string,
  ports: readonly Port[],
  block: Block,
  into: (FloatArray | undefined)[],
  what: 'input' | 'output',
): void {
  for (let i = 0; i < ports.length; i++) {
    const { name } = ports[i]!;
    const data = isArray(block) ? (ports.length === 1 ? block : undefined) : block[name];
    if (data === undefined || !isArray(data)) {
      throw new StreamError(
        `${model} wants ${what} { ${ports.map((port) => port.name).join(', ')} } as Float32Array or ` +
          `Float64Array, but "${name}" is ${data === undefined ? 'missing' : typeof data}`,
      );
    }
    into[i] = data;
  }
}

/** Numbers that a loop copies sooner than a call. */
export const FEW = 16;

/** `size` numbers that stand at `from` of a port's buffer, to the caller's array. */
export function bringOut(port: OutputPort, from: number, size: number, to: FloatArray, at: number): void {
  const { data } = port.node;
  const isSame = port.viewOf === data && port.view.length === size;
  if (size > FEW && port.node.isTransient && (isSame || port.views < MOST_VIEWS)) {
    if (!isSame) {
      port.view = data.subarray(from, from + size);
      port.viewOf = data;
      port.views++;
    }
    to.set(port.view, at);
  } else {
    copyNumbers(data, from, to, at, size);
  }
}

/** Without a view in between, which would be garbage on a running stream. */
export function copyNumbers(
  from: FloatArray,
  fromAt: number,
  to: FloatArray,
  toAt: number,
  size: number,
): void {
  // Frame counters are exact beyond 2^31 and so are doubles; places in a block are not as large, and integers.
  const last = size | 0;
  for (let i = 0, f = fromAt | 0, t = toAt | 0; i < last; i++) to[t++] = from[f++]!;
}

export const isArray = (value: unknown): value is FloatArray =>
  value instanceof Float32Array || value instanceof Float64Array;
