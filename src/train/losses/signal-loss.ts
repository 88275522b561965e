import { ArgumentError } from '../../errors.ts';
import type { FloatArray } from '../../signal/index.ts';
import type { Loss, LossCall, LossOutput } from '../loss.ts';

/** Which output is compared with which target. */
export interface Comparison {
  /** Output port; `output`. */
  readonly output?: string | undefined;
  /** Name of the target; that of the port. */
  readonly target?: string | undefined;
}

/** An output and what it should have been, of one length. */
export interface Pair extends LossOutput {
  /** frames × channels, perhaps more behind */
  readonly wanted: FloatArray;
}

/**
 * A loss between one output and a signal like it. Anything that `compute` adds to `pair.gradient` is ∂loss/∂output.
 *
 * @param compute the value over `frames` × `channels` numbers, of which there is at least one.
 */
export function signalLoss<Options extends Comparison>(
  kind: string,
  options: Options,
  compute: (pair: Pair) => number,
): Loss {
  const { output = 'output', target = output } = options;
  return {
    kind,
    options: { ...options } as Readonly<Record<string, unknown>>,
    targets: [target],
    evaluate(call) {
      const found = outputOf(kind, output, call);
      const wanted = targetOf(kind, target, call, found.frames * found.channels);
      return compute({ ...found, wanted });
    },
  };
}

/** @throws ArgumentError where the model has no such output, or it has no frame. */
export function outputOf(kind: string, port: string, { outputs }: LossCall): LossOutput {
  const found = outputs[port];
  if (found === undefined) {
    throw new ArgumentError(
      `the loss ${kind} reads the output "${port}"; the model has ${Object.keys(outputs).join(', ') || 'none'}: set its "output"`,
    );
  }
  if (found.frames === 0) {
    throw new ArgumentError(`the loss ${kind} got no frame of "${port}"; give longer sequences`);
  }
  return found;
}

/** @throws ArgumentError where a batch brings no such target, or fewer numbers than the output has. */
export function targetOf(kind: string, name: string, { targets }: LossCall, least: number): FloatArray {
  const found = targets[name];
  if (found === undefined || found.length < least) {
    throw new ArgumentError(
      `the loss ${kind} compares ${least} numbers with the target "${name}", ` +
        (found === undefined
          ? `which is not among ${Object.keys(targets).join(', ') || 'none'}`
          : `which has ${found.length}`) +
        '; let the data bring it',
    );
  }
  return found;
}
