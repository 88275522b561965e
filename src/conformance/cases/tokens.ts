import { FormatError } from '../../errors.ts';
import { generate } from '../../models/index.ts';
import { compile, type Stream } from '../../stream/index.ts';
import type { Case, Family, Run, Subject } from '../case.ts';
import { deviation, worst } from '../compare.ts';
import { precisionOf } from '../open.ts';
import { formatRun } from './official-model.ts';

/** Language models by the official code that wrote the file: which checkpoint format they are. */
const formats: Readonly<Record<string, string>> = {
  'transformers RwkvForCausalLM': 'rwkv4-lm',
  'transformers MambaForCausalLM': 'mamba-lm',
};

const formatOf = (source: string): string | undefined =>
  Object.entries(formats).find(([code]) => source.startsWith(code))?.[1];

/**
 * A text that an official language model wrote greedily:
 *
 * | tensor | shape | |
 * | --- | --- | --- |
 * | prompt | (batch × P) | tokens |
 * | output.tokens | (batch × N) | the prompt and what was written |
 * | output.logits | (batch × N − 1 × vocabulary) | behind each token but the last |
 *
 * Way `tokens` counts the tokens that differ when ours writes on from the prompt; `logits` compares the logits when
 * ours reads the official text.
 */
export const tokensFamily: Family = {
  name: 'tokens',
  matches: ({ kinds, source }) => kinds.includes('tokens') && formatOf(source) !== undefined,
  open(golden, settings): Case {
    const run: Run = formatRun(golden, formatOf(golden.source)!);
    const subject: Subject = { golden, settings, runs: [run] };
    const open = (): Stream =>
      compile(run.model, run.parameters, {
        backend: settings.backend,
        precision: precisionOf(subject, run),
        maxLatency: 0,
      });
    const prompts = rows(golden.tensor('prompt'));
    const texts = rows(golden.tensor('output.tokens'));
    const { shape, values: logits } = golden.tensor('output.logits');
    if (texts.length !== prompts.length || shape[0] !== texts.length) {
      throw new FormatError(
        `${golden.path}: ${prompts.length} prompts, ${texts.length} texts and ${shape[0]} rows of logits; they must be as many`,
      );
    }
    return {
      ways: {
        tokens: {
          tensors: ['output.tokens'],
          measure() {
            const different = texts.flatMap((text, b) => {
              const prompt = prompts[b]!;
              const written = [
                ...prompt,
                ...generate(open(), { prompt, tokens: text.length - prompt.length }),
              ];
              return [...text].flatMap((token, i) =>
                token === written[i] ? [] : [`output.tokens[${b}, ${i}] is ${written[i]}, official ${token}`],
              );
            });
            return { error: different.length, place: different[0] ?? '' };
          },
        },
        logits: {
          tensors: ['output.logits'],
          measure() {
            const size = logits.length / texts.length;
            return worst(
              texts.map((text, b) =>
                deviation(
                  open().push(text.subarray(0, -1)),
                  logits.subarray(b * size, (b + 1) * size),
                  'output.logits',
                ),
              ),
            );
          },
        },
      },
    };
  },
};

/** A (batch × length) tensor, row by row. */
const rows = ({ shape, values }: { shape: readonly number[]; values: Float64Array }): Float64Array[] =>
  Array.from({ length: shape[0]! }, (_, b) => values.subarray(b * shape[1]!, (b + 1) * shape[1]!));
