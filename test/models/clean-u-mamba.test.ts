import { describe, expect, it } from 'vitest';
import { ParameterError } from '../../src/errors.ts';
import { initialise } from '../../src/layers/index.ts';
import { random } from '../../src/init/index.ts';
import { cleanUMamba, cleanUMambaSizes, type CleanUMambaSizes } from '../../src/models/index.ts';
import { traceModel, type Shape } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { measuredLatency } from './latency.ts';
import { smallCleanUMamba } from './small-denoisers.ts';

for (const kind of ['mamba', 'lstm'] as const) {
  const model = cleanUMamba(smallCleanUMamba(kind));
  const parameters = initialise(model, 3);
  verifyStream({ name: `CleanUMamba, ${kind}`, model, parameters, frames: 500 });
  // A length that all levels divide; the zeros that the end rule appends are nobody's input.
  verifyAdjoint({
    name: `CleanUMamba, ${kind}`,
    model: { ...model, endPadding: undefined },
    parameters,
    frames: 30,
  });
}

/** As many levels as the published networks, with few channels. */
const slim = (levels: number): CleanUMambaSizes => ({
  encoder: Array.from({ length: levels }, () => ({ hidden: 8, outputs: 8, taps: 4 })),
  bottleneck: { kind: 'mamba', width: 3, blocks: [{ inner: 4, states: 2, dtRank: 1, taps: 4 }] },
  decoder: Array.from({ length: levels }, (_, i) => ({
    gated: 8,
    outputs: i === levels - 1 ? 1 : 8,
    taps: 4,
  })),
});

/** Weights twice as large, so that a single frame can be felt through all levels. */
const louder = (parameters: ReadonlyMap<string, Float64Array>): Map<string, Float64Array> =>
  new Map(
    [...parameters].map(([name, values]) => [
      name,
      name.endsWith('weight') && !name.includes('norm') ? values.map((value) => 2 * value) : values,
    ]),
  );

describe('CleanUMamba as published', () => {
  it.each([
    [6, 189],
    [8, 765],
  ])('with %i levels looks %i frames ahead', (levels, latency) => {
    const model = cleanUMamba(slim(levels));
    const parameters = louder(initialise(model, 7));
    expect(compile(model, parameters).latency).toBe(latency);
    expect(measuredLatency(model, parameters, { period: 2 ** levels, most: latency + 100 })).toBe(latency);
  });

  it.each([
    // Three levels need 22, 30, 38, … frames.
    [1, 21],
    [22, 0],
    [23, 7],
    [30, 0],
    [101, 1],
  ])('pads %i frames by %i at the end, as signal', (length, zeros) => {
    const model = cleanUMamba(smallCleanUMamba('mamba'));
    const parameters = initialise(model, 5);
    const source = random(length);
    const input = Float32Array.from({ length }, () => source.normal());
    const padded = new Float64Array(length + zeros);
    padded.set(input);
    const wanted = evaluate({ ...model, endPadding: undefined }, parameters, { input: padded })['output']!;
    const stream = compile(model, parameters);
    const output = [...stream.push(input), ...stream.flush()];
    expect(output).toHaveLength(length + zeros);
    expect(relativeError(output, wanted)).toBeLessThanOrEqual(1e-5);
  });

  it.each(['mamba', 'lstm'] as const)(
    'with the %s bottleneck: its sizes are read off its weights',
    (kind) => {
      const sizes = smallCleanUMamba(kind);
      expect(cleanUMambaSizes(shapesOf(sizes))).toEqual(sizes);
    },
  );

  it('names the tensor without which nothing can be said', () => {
    const shapes = shapesOf(smallCleanUMamba('mamba'));
    shapes.delete('tsfm_conv1.weight');
    expect(() => cleanUMambaSizes(shapes)).toThrow(ParameterError);
    expect(() => cleanUMambaSizes(shapes)).toThrow(/"tsfm_conv1.weight", which is missing/);
  });
});

const shapesOf = (sizes: CleanUMambaSizes): Map<string, Shape> =>
  new Map([...traceModel(cleanUMamba(sizes)).parameters].map(([name, { shape }]) => [name, shape]));
