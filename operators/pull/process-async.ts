import type { FloatArray, Model } from '../../src/signal/index.ts';
import type { Block, Parameters } from '../../src/stream/index.ts';
import type { SsmOptions } from '../ssm/options.ts';
import { ssm, type Streamed } from '../ssm/ssm.ts';
import { paced } from './paced.ts';

/**
 * A model over an async iterable of blocks or numbers, at the pace of whoever reads the result: a block is
 * pulled only when what came of those before has been taken, so at most one is in flight. Takes the options of
 * `ssm`, which it runs.
 *
 * @example
 * for await (const block of processAsync(socket, model, parameters)) await reply(block);
 */
export const processAsync = <T extends number | Block = FloatArray>(
  source: AsyncIterable<T> | Iterable<T>,
  model: Model,
  parameters: Parameters,
  options?: SsmOptions,
): AsyncGenerator<Streamed<T>, void, void> => paced(source, ssm(model, parameters, options));
