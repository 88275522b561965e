import { ArgumentError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import type { Stream } from '../stream/index.ts';
import { greedy, type Sampler } from './sampling.ts';

export interface GenerateOptions {
  /** At least one token: what the model reads before it writes. */
  readonly prompt: ArrayLike<number>;
  /** Tokens to write; without end by default. */
  readonly tokens?: number | undefined;
  /** How a token is chosen from the logits; `greedy` by default, or `sampling({ … })`. */
  readonly choose?: Sampler | undefined;
  /** Tokens that end the text: such a token is given as the last. */
  readonly stop?: readonly number[] | undefined;
}

/** Tokens of the prompt that are read at once: bounds the memory of a long one. */
const BLOCK = 64;

/**
 * Reads a prompt, then writes token by token, each read back in before the next is chosen. The model is any stream
 * of one token in and the logits of the next out, such as `rwkv4Lm` and `mambaLm`. Lazy: a token costs a step of
 * the model when it is asked for, and the last one given has not been read yet, so that the text goes on with
 * `prompt: [last, …]` on the same stream; `fork` the stream to write several continuations.
 *
 * @throws ArgumentError for a stream that is no such model, an empty prompt, or tokens that it does not know.
 * @example
 * const stream = compile(model, parameters);
 * for (const token of generate(stream, { prompt: [12, 5], tokens: 50 })) process.stdout.write(decode(token));
 * // With RxJS: from(generate(stream, { prompt, choose: sampling({ temperature: 0.8, seed: 1 }) })).pipe(take(50))
 */
export function generate(stream: Stream, options: GenerateOptions): Generator<number, void, undefined> {
  const { prompt, tokens = Infinity, choose = greedy, stop = [] } = options;
  const vocabulary = stream.outputChannels;
  check(stream, prompt, tokens);
  return write();

  function* write(): Generator<number, void, undefined> {
    const logits = fresh(BLOCK * vocabulary);
    const input = fresh(BLOCK);
    let last = logits.subarray(0, 0);
    const read = (from: ArrayLike<number>): void => {
      for (let at = 0; at < from.length; at += BLOCK) {
        const count = Math.min(BLOCK, from.length - at);
        for (let i = 0; i < count; i++) input[i] = from[at + i]!;
        stream.process(input.subarray(0, count), logits);
        last = logits.subarray((count - 1) * vocabulary, count * vocabulary);
      }
    };
    let next: ArrayLike<number> = prompt;
    for (let written = 0; written < tokens; written++) {
      read(next);
      const token = choose(last);
      yield token;
      if (stop.includes(token)) return;
      next = [token];
    }
  }

  function fresh(length: number): FloatArray {
    return stream.identity.precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
  }
}

function check(stream: Stream, prompt: ArrayLike<number>, tokens: number): void {
  const { inputChannels, outputChannels, outputRate, latency } = stream;
  if (inputChannels !== 1 || outputRate !== 1 || latency !== 0) {
    throw new ArgumentError(
      `generate: ${stream.identity.model} takes frames of ${inputChannels}, gives ${outputRate} frames for each and ` +
        `looks ${latency} ahead; it needs a language model: one token in, the logits of the next out`,
    );
  }
  if (!(tokens >= 0) || (tokens !== Infinity && !Number.isSafeInteger(tokens)))
    throw new ArgumentError(`generate: tokens is ${tokens}; give a whole number of at least 0`);
  if (prompt.length === 0)
    throw new ArgumentError(
      'generate: the prompt is empty; give at least one token, such as that for a beginning',
    );
  for (let i = 0; i < prompt.length; i++) {
    const token = prompt[i]!;
    if (!(Number.isInteger(token) && token >= 0 && token < outputChannels)) {
      throw new ArgumentError(
        `generate: prompt[${i}] is ${token}; give whole numbers from 0 to ${outputChannels - 1}, the tokens of the model`,
      );
    }
  }
}
