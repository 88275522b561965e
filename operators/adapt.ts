import { defer, map, type Observable, type OperatorFunction } from 'rxjs';
import { StreamError } from '../src/errors.ts';
import type { FloatArray, Model } from '../src/signal/index.ts';
import type { Parameters } from '../src/stream/index.ts';
import type { SsmOptions } from './ssm/options.ts';
import { ssm } from './ssm/ssm.ts';
import { isFloatArray } from './ssm/voices.ts';

/** What a model learns from: one frame as numbers, or a block of frames at each port. */
export interface Example<T extends number | FloatArray = number | FloatArray> {
  readonly input: T;
  /** What the output should have been. */
  readonly target: T;
  /** For models with such a port: learn where above 0. */
  readonly learn?: T;
  /** In irregular time: how long ago the frame before was. */
  readonly dt?: T;
}

/** The prediction, made before the target was seen, and by how much it was off (output − target). */
export interface Adapted<T extends number | FloatArray = number | FloatArray> {
  readonly output: T;
  readonly error: T;
}

/** As `ssm`, without what concerns single channels and look-ahead. */
export type AdaptOptions = Omit<SsmOptions, 'channels' | 'realtime' | 'maxLatency'>;

/**
 * A model that learns while it streams, as an operator: examples in, predictions and errors out.
 *
 *     source   -a-b-c-|       a = { input, target }
 *     result   -A-B-C-|       A = { output, error }
 *
 * Takes any causal model with the ports `input` and `target`: `onlineDiagonal`, `onlineReadout`, or one of your own. What
 * it has learned is part of the stream's state: `onStream` hands out the stream for `snapshot()` and
 * `learnedParameters`, `snapshot` goes on from one. Every subscription learns by itself.
 *
 * @throws GraphError, ParameterError where model and parameters do not fit, or the model looks ahead.
 * @example
 * const model = onlineReadout({ features: memory, outputs: 1, forgetting: 0.999 });
 * readings.pipe(adapt(model, initialise(model, 1))).subscribe(({ output, error }) => console.log(output, error));
 */
export function adapt<T extends number | FloatArray>(
  model: Model,
  parameters: Parameters,
  options: AdaptOptions = {},
): OperatorFunction<Example<T>, Adapted<T>> {
  // Checked here, where a mistake is made; a causal model answers every block at once.
  const run = ssm(model, parameters, { ...options, maxLatency: 0 });
  return (source) =>
    defer(() => {
      // What is on its way through the model: the operators in between are synchronous, so it is one example.
      let current: Example | undefined;
      const blocks = source.pipe(
        map((example) => {
          current = example;
          return blockOf(model.name, example);
        }),
      );
      return blocks.pipe(
        run,
        map((output) => answer(current!, output)),
      ) as Observable<Adapted<T>>;
    });
}

function blockOf(name: string, example: Example): Readonly<Record<string, FloatArray>> {
  return Object.fromEntries(
    Object.entries(example).map(([port, value]: [string, unknown]) => {
      if (typeof value === 'number') return [port, Float64Array.of(value)];
      if (isFloatArray(value)) return [port, value];
      throw new StreamError(
        `${name} wants examples { input, target } of numbers or Float32Array, but "${port}" is a ${typeof value}`,
      );
    }),
  );
}

function answer({ target }: Example, output: FloatArray): Adapted {
  if (typeof target === 'number') return { output: output[0]!, error: output[0]! - target };
  return { output, error: output.map((y, i) => y - target[i]!) };
}
