import { describe, expect, it } from 'vitest';
import { runConformance } from '../../src/conformance/index.ts';
import { ArgumentError, GraphError } from '../../src/errors.ts';
import { attention, initialise } from '../../src/layers/index.ts';
import { modelFor } from '../../src/models/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { verifyStream } from '../contract/stream.ts';
import { goldenFiles } from '../support/golden-files.ts';

const short = attention({ features: 6, heads: 3, window: 5 });
const long = attention({ features: 4, heads: 2, window: 150, bias: false });

verifyStream({ name: 'attention', model: short, parameters: initialise(short, 1) });
verifyStream({
  name: 'attention over a long window',
  model: long,
  parameters: initialise(long, 2),
  frames: 500,
});
verifyAdjoint({ name: 'attention', model: short, parameters: initialise(short, 3) });

describe('attention', () => {
  it.each(goldenFiles('attention'))('agrees with torch: $name', async ({ path }) => {
    const { ok, failed, unsupported } = await runConformance({ paths: [path] });
    expect({ ok, failed, unsupported }).toEqual({ ok: 3, failed: 0, unsupported: 0 });
  });

  it('remembers nothing beyond its window', () => {
    const parameters = initialise(short, 4);
    const [a, b] = [compile(short, parameters), compile(short, parameters)];
    a.push(new Float32Array(6 * 20).fill(3));
    b.push(new Float32Array(6 * 20).fill(-1));
    const silence = new Float32Array(6 * 5);
    const last = (y: ArrayLike<number>): number[] => Array.from(y).slice(-6);
    expect(last(a.push(silence.subarray(0, 24)))).not.toEqual(last(b.push(silence.subarray(0, 24))));
    expect(last(a.push(silence.subarray(0, 6)))).toEqual(last(b.push(silence.subarray(0, 6))));
  });

  it('refuses what cannot be built, by name', () => {
    expect(() => attention({ features: 6, heads: 4, window: 5 })).toThrow(
      new ArgumentError('attention: heads is 4; give a divisor of the features 6'),
    );
    const unbounded = { features: 6, heads: 3 } as Parameters<typeof attention>[0];
    expect(() => attention(unbounded)).toThrow(/window is undefined; give the frames.*grows for ever/);
    expect(() => modelFor('attention', { embed_dim: 6, num_heads: 3 })).toThrow(/config lacks "window"/);
    expect(() => modelFor('attention', { embed_dim: 6, num_heads: 3, window: 4, kdim: 3 })).toThrow(/"kdim"/);
  });

  it('does not follow another sample rate silently', () => {
    const model = { ...short, sampleRate: 16_000 };
    expect(() => compile(model, initialise(short, 1), { sampleRate: 8000 })).toThrow(GraphError);
  });
});
