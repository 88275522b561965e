import { GraphError } from '../errors.ts';

/**
 * The adjoint of an op whose state is what it has learned: there is none to hand back.
 *
 * @throws GraphError naming the op.
 */
export function refuseAdjoint(name: string): never {
  throw new GraphError(
    `${name} learns while it streams and has no adjoint; train what it starts from offline, without it, ` +
      'and put it in for streaming',
  );
}
