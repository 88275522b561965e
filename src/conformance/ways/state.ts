import { GraphError } from '../../errors.ts';
import { sizeOf } from '../../signal/index.ts';
import { snapshotNumbers } from '../../stream/index.ts';
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
        return pick(snapshotNumbers(stream.snapshot()));
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
