import { describe, expect, it } from 'vitest';
import { from, take, toArray, firstValueFrom } from 'rxjs';
import { ArgumentError } from '../../src/errors.ts';
import { s4d } from '../../src/layers/index.ts';
import { generate, greedy, rwkv4Lm, sampling } from '../../src/models/index.ts';
import { advance, embedding } from '../../src/ops/index.ts';
import { defineLayer } from '../../src/signal/index.ts';
import { compile, type Stream } from '../../src/stream/index.ts';
import { stirred } from '../support/stirred.ts';

const model = rwkv4Lm({ features: 8, layers: 2, vocabulary: 11 });
const parameters = stirred(model, 1);
const open = (): Stream => compile(model, parameters);
const prompt = [3, 1, 4, 1, 5];

describe('generate', () => {
  it('chooses from the logits behind the whole text so far, token by token', () => {
    const written = [...generate(open(), { prompt, tokens: 20 })];
    expect(new Set(written).size, 'a text of one token would hide much').toBeGreaterThan(2);
    // Each token anew: the text as one block through a fresh stream.
    const text = [...prompt];
    for (let i = 0; i < 20; i++) {
      text.push(greedy(open().push(Float32Array.from(text)).slice(-11)));
    }
    expect(written).toEqual(text.slice(prompt.length));
  });

  it('hands the sampler those logits, and takes its choice', () => {
    const seen: number[][] = [];
    const choices = [7, 0, 10];
    const written = [
      ...generate(open(), {
        prompt,
        tokens: 3,
        choose(logits) {
          seen.push(Array.from(logits));
          return choices[seen.length - 1]!;
        },
      }),
    ];
    expect(written).toEqual(choices);
    const all = open().push(Float32Array.of(...prompt, 7, 0));
    expect(seen).toEqual([4, 5, 6].map((k) => Array.from(all.slice(11 * k, 11 * (k + 1)))));
  });

  it('reads a prompt of any length', () => {
    const long = Array.from({ length: 200 }, (_, i) => (7 * i) % 11);
    for (const length of [1, 63, 64, 65, 128, 200]) {
      const start = long.slice(0, length);
      expect([...generate(open(), { prompt: start, tokens: 1 })]).toEqual([
        greedy(open().push(Float32Array.from(start)).slice(-11)),
      ]);
    }
  });

  it('goes on where it stopped, when the last token is given back', () => {
    const whole = [...generate(open(), { prompt, tokens: 12 })];
    const stream = open();
    const head = [...generate(stream, { prompt, tokens: 5 })];
    expect(stream.framesSeen).toBe(prompt.length + 4);
    const tail = [...generate(stream, { prompt: [head.at(-1)!], tokens: 7 })];
    expect([...head, ...tail]).toEqual(whole);
  });

  it('reads nothing that nobody asks for', () => {
    const stream = open();
    const text = generate(stream, { prompt });
    expect(stream.framesSeen).toBe(0);
    text.next();
    expect(stream.framesSeen).toBe(5);
    text.next();
    expect(stream.framesSeen).toBe(6);
    text.return();
    expect(stream.framesSeen).toBe(6);
    expect([...generate(stream, { prompt, tokens: 0 })]).toEqual([]);
    expect(stream.framesSeen).toBe(6);
  });

  it('writes several continuations of one prompt from forks', () => {
    const stream = open();
    stream.push(Float32Array.from(prompt.slice(0, -1)));
    const write = (seed: number): number[] => [
      ...generate(stream.fork(), {
        prompt: prompt.slice(-1),
        tokens: 30,
        choose: sampling({ seed, temperature: 2 }),
      }),
    ];
    expect(write(1)).toEqual(write(1));
    expect(write(1)).not.toEqual(write(2));
    expect(write(1)).toEqual([
      ...generate(open(), { prompt, tokens: 30, choose: sampling({ seed: 1, temperature: 2 }) }),
    ]);
  });

  it('ends with a stop token', () => {
    const whole = [...generate(open(), { prompt, tokens: 30, choose: sampling({ seed: 3 }) })];
    const end = whole[10]!;
    const cut = [...generate(open(), { prompt, tokens: 30, stop: [end], choose: sampling({ seed: 3 }) })];
    expect(cut).toEqual(whole.slice(0, whole.indexOf(end) + 1));
  });

  it('is a source of RxJS as it is', async () => {
    const five = from(generate(open(), { prompt })).pipe(take(5), toArray());
    expect(await firstValueFrom(five)).toEqual([...generate(open(), { prompt, tokens: 5 })]);
  });

  it('runs in float64 too', () => {
    const stream = compile(model, parameters, { precision: 'float64' });
    expect([...generate(stream, { prompt, tokens: 10 })]).toEqual([
      ...generate(open(), { prompt, tokens: 10 }),
    ]);
  });

  it('refuses what it cannot do before anything is read', () => {
    const stream = open();
    const refused = (options: Parameters<typeof generate>[1], message: RegExp): void => {
      expect(() => generate(stream, options)).toThrow(ArgumentError);
      expect(() => generate(stream, options)).toThrow(message);
    };
    refused({ prompt: [] }, /the prompt is empty/);
    refused({ prompt: [1, 11] }, /prompt\[1\] is 11; give whole numbers from 0 to 10/);
    refused({ prompt: [-1] }, /prompt\[0\] is -1/);
    refused({ prompt: [0.5] }, /prompt\[0\] is 0\.5/);
    refused({ prompt, tokens: -1 }, /tokens is -1/);
    refused({ prompt, tokens: 1.5 }, /tokens is 1\.5/);
    refused({ prompt, tokens: Number.NaN }, /tokens is NaN/);
    expect(stream.framesSeen).toBe(0);

    const wide = s4d({ features: 2, states: 4 });
    expect(() => generate(compile(wide, stirred(wide, 1)), { prompt })).toThrow(/s4d takes frames of 2/);
    const ahead = defineLayer({
      name: 'ahead',
      features: 1,
      apply: (trace, x) => advance(embedding(x, trace.parameter('w', [4, 4])), 1),
    });
    expect(() => generate(compile(ahead, { w: new Float64Array(16) }), { prompt })).toThrow(/looks 1 ahead/);
  });
});
