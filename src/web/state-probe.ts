import type { FloatArray } from '../signal/index.ts';
import type { Stream } from '../stream/index.ts';
import { MOST_STATE, type StateSection } from './scope.ts';

interface Source {
  readonly data: FloatArray;
  readonly at: number;
  save(): void;
}

/** Ops whose `x` is the state of a state space model. */
const SCANS = new Set(['diagonal-scan', 'dplr-scan', 'matrix-scan']);

/**
 * Copies the states x of the state space models that run in some streams, without a snapshot and without garbage. The
 * largest scans first; what has no room is left out.
 */
export class StateProbe {
  readonly sections: readonly StateSection[];
  readonly #sources: readonly Source[];

  constructor(streams: readonly Stream[]) {
    const sections: StateSection[] = [];
    const sources: Source[] = [];
    let at = 0;
    for (const { lane } of streams) {
      for (const { step, state, kernel } of lane.executor.nodes) {
        const { source, path } = step.node;
        const data = state['x'];
        if (source.kind !== 'op' || !SCANS.has(source.op.name) || data === undefined) continue;
        if (at + data.length > MOST_STATE) continue;
        const shape = step.run!.state.find(({ name }) => name === 'x')!.section.shape;
        const complex = source.op.name === 'diagonal-scan' && shape.length === 3;
        const columns = shape.at(-1) ?? 1;
        const rows = data.length / columns / (complex ? 2 : 1);
        sections.push({ path, at, length: data.length, rows, columns, complex });
        sources.push({ data, at, save: () => kernel?.save?.() });
        at += data.length;
      }
    }
    this.sections = sections;
    this.#sources = sources;
  }

  /** Writes all sections into `into`, from `offset` on. */
  read(into: Float32Array, offset: number): void {
    for (let i = 0; i < this.#sources.length; i++) {
      const { data, at } = this.#sources[i]!;
      // A kernel may keep its state in an order of its own while it runs.
      this.#sources[i]!.save();
      for (let k = 0, to = offset + at; k < data.length; k++) into[to++] = data[k]!;
    }
  }
}
