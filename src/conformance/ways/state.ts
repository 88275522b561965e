import { GraphError } from '../../errors.ts';
import { sizeOf, traceModel } from '../../signal/index.ts';
import type { Stream } from '../../stream/index.ts';
import type { Run, Subject } from '../case.ts';
import { inputsOf, openStream } from '../open.ts';
import type { Entry } from './table.ts';

/** A stream's memory by `path:section`, such as `layer.scan:x`, widened to float64. */
export type Sections = ReadonlyMap<string, Float64Array>;

/**
 * The memory of the only op of a kind, such as `scan:x`, wherever in the model it stands.
 *
 * @throws GraphError where there is none, or more than one.
 */
export function onlySection(sections: Sections, name: string): Float64Array {
  const found = [...sections].filter(([path]) => path === name || path.endsWith(`.${name}`));
  if (found.length !== 1) {
    throw new GraphError(
      `${found.length} state sections are called "${name}" among ${[...sections.keys()].join(', ') || 'none'}; name the one by its path`,
    );
  }
  return found[0][1];
}

/**
 * An official state after the whole input, against the stream's.
 *
 * @param pick the state of one item, in the official order, out of the stream's sections.
 * @param batchAxis of the official tensor; undefined where it has none.
 */
export function lastState(
  subject: Subject,
  run: Run,
  tensor: string,
  pick: (sections: Sections) => ArrayLike<number>,
  batchAxis?: number,
): Entry {
  return {
    tensor,
    values() {
      const port = Object.keys(run.outputs)[0];
      const items = inputsOf(subject, run).map((inputs) => {
        const stream = openStream(subject, run, port);
        stream.push(inputs);
        return pick(sectionsOf(stream, run));
      });
      if (batchAxis === undefined) return items[0];
      const { shape } = subject.golden.tensor(tensor);
      const inner = sizeOf(shape.slice(batchAxis + 1));
      const outer = sizeOf(shape.slice(0, batchAxis));
      const all: number[] = [];
      for (let o = 0; o < outer; o++)
        for (const item of items) for (let i = 0; i < inner; i++) all.push(item[o * inner + i]);
      return all;
    },
  };
}

/** What a stream remembers, read from its snapshot: header length (u32 at 8), header (JSON), sections. */
function sectionsOf(stream: Stream, run: Run): Sections {
  const snapshot = stream.snapshot();
  const length = new DataView(snapshot.buffer, snapshot.byteOffset).getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(snapshot.subarray(12, 12 + length))) as {
    readonly precision: string;
    readonly sections: readonly { readonly name: string; readonly bytes: number }[];
  };
  const bytesByName = new Map<string, Uint8Array>();
  let at = 12 + length;
  for (const { name, bytes } of header.sections) {
    bytesByName.set(name, snapshot.slice(at, at + bytes));
    at += bytes;
  }
  const sections = new Map<string, Float64Array>();
  for (const { path, source, inputs } of traceModel(run.model, run.irregular ? 'port' : 'constant').nodes) {
    if (source.kind !== 'op') continue;
    for (const [name, { type }] of Object.entries(source.op.state?.(source.attributes, inputs) ?? {})) {
      const bytes = bytesByName.get(`${path}:${name}`);
      if (bytes === undefined) continue;
      const wide = type === 'float64' || header.precision === 'float64';
      sections.set(
        `${path}:${name}`,
        wide ? new Float64Array(bytes.buffer) : Float64Array.from(new Float32Array(bytes.buffer)),
      );
    }
  }
  return sections;
}
