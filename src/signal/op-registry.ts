import { GraphError } from '../errors.ts';
import type { AnyOp, Op } from './op.ts';

const known = new Map<string, AnyOp>();

/**
 * Makes an op known by its name, so that a graph can travel to another thread and back: what moves is names and
 * attributes, and those are plain data.
 *
 * @throws GraphError where another op has that name.
 * @example
 * export const negateOp = defineOp<null>({ name: 'negate', … });
 */
export function defineOp<Attributes = unknown, Prepared = unknown>(
  op: Op<Attributes, Prepared>,
): Op<Attributes, Prepared> {
  if (known.has(op.name)) {
    throw new GraphError(`there are two ops named "${op.name}"; give one of them another name`);
  }
  known.set(op.name, op);
  return op;
}

/** The op of a name, or undefined: its module has not been loaded, or it was made without `defineOp`. */
export const opByName = (name: string): AnyOp | undefined => known.get(name);
