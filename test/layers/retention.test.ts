import { describe, expect, it } from 'vitest';
import { runConformance } from '../../src/conformance/index.ts';
import { ArgumentError, GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { initialise, retention } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { goldenFiles } from '../support/golden-files.ts';
import { atFrame } from '../support/jump.ts';

const small = { features: 8, heads: 2, values: 6, eps: 1e-9 } as const;
const forms = { recurrent: 'recurrent', parallel: 'parallel', chunkwise: { chunk: 16 } } as const;
const noise = (frames: number, width: number, seed: number): Float32Array => {
  const source = random(seed);
  return Float32Array.from({ length: frames * width }, () => source.normal());
};

for (const form of ['recurrent', 'chunkwise'] as const) {
  const model = retention({ ...small, form: forms[form] });
  verifyStream({ name: `retention, ${form}`, model, parameters: initialise(model, 1) });
}
// Gradients hold the divisors for constants; without an epsilon in the norm they do not matter, and no more does that.
for (const [name, form] of Object.entries(forms)) {
  const model = retention({ ...small, form, eps: 1e-300 });
  verifyAdjoint({ name: `retention, ${name}`, model, parameters: initialise(model, 2) });
}

describe('retention', () => {
  it.each(goldenFiles('retnet'))('agrees with torchscale in $name, gradients included', async ({ path }) => {
    const { lines, failed } = await runConformance({ paths: [path] });
    expect(failed, JSON.stringify(lines)).toBe(0);
    expect(lines.map(({ way }) => way)).toEqual(
      expect.arrayContaining(['recurrent', 'parallel', 'chunkwise', 'grad', 'step', 'chunks']),
    );
  });

  it('has forms that agree behind the norm, as far as its epsilon is not felt', () => {
    const input = noise(300, 8, 3).map((value) => 20 * value);
    const outputs = (eps: number): Float64Array[] =>
      Object.values(forms).map((form) => {
        const model = retention({ ...small, form, eps });
        return evaluate(model, initialise(model, 4), { input })['output']!;
      });
    const [recurrent, parallel, chunkwise] = outputs(1e-300);
    expect(relativeError(parallel!, recurrent!)).toBeLessThan(1e-10);
    expect(relativeError(chunkwise!, recurrent!)).toBeLessThan(1e-10);
    // One that is felt tells them apart: they divide by different numbers.
    const [r, p, c] = outputs(1e-3);
    expect(relativeError(p!, r!)).toBeGreaterThan(1e-3);
    expect(relativeError(c!, p!)).toBeGreaterThan(1e-3);
  });

  it.each([1e8, 2 ** 31 + 5, 48_000 * 86_400 * 30])(
    'after %d frames is a fresh stream fed the last of them',
    (frames) => {
      const model = retention(small);
      const parameters = initialise(model, 5);
      // The slowest head keeps (1 − 2⁻⁶)^M of what is M frames old: 1e-8 of it.
      const remembered = 1200;
      const old = compile(model, parameters);
      old.push(noise(5000, 8, 6));
      old.restore(atFrame(old.snapshot(), frames));
      const fresh = compile(model, parameters);
      const input = noise(remembered, 8, 7);
      expect(old.framesSeen).toBe(frames);
      const [oldOutput, freshOutput] = [old.push(input), fresh.push(input)];
      const tail = -100 * 8;
      expect(relativeError(oldOutput.subarray(tail), freshOutput.subarray(tail))).toBeLessThan(1e-4);
      // And not because nothing is remembered at all: at first they differ.
      expect(relativeError(oldOutput.subarray(0, 80), freshOutput.subarray(0, 80))).toBeGreaterThan(1e-2);
    },
  );

  it('refuses the parallel form on a stream, and what does not fit', () => {
    const model = retention({ ...small, form: 'parallel' });
    expect(() => compile(model, initialise(model, 1))).toThrow(GraphError);
    expect(() => compile(model, initialise(model, 1))).toThrow(/needs its whole input/);
    expect(() => retention({ features: 6, heads: 2 })).toThrow(ArgumentError);
    expect(() => retention({ features: 6, heads: 2 })).toThrow(/leave 3 numbers a head/);
    expect(() => retention({ features: 8, heads: 3 })).toThrow(/divisor of the features 8/);
    expect(() => initialise(retention({ ...small, form: { chunk: 0 } }), 1)).toThrow(/chunk is 0/);
  });
});

describe('what counts frames', () => {
  it('retention follows no other rate and no irregular time, and says so', () => {
    const model = { ...retention(small), sampleRate: 16_000 };
    expect(() => compile(model, initialise(model, 1), { sampleRate: 8000 })).toThrow(
      /counts frames, not time/,
    );
    expect(() => compile(model, initialise(model, 1), { irregular: true })).toThrow(
      /counts frames, not time/,
    );
  });
});
