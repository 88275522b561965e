import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import { bidirectional, initialise, mamba, s4d, visionMamba } from '../../src/layers/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { drawInputs, verifyAdjoint } from '../contract/op.ts';
import { relativeError } from '../contract/stream.ts';

const both = bidirectional(() => s4d({ features: 2, states: 4 }));
const vim = visionMamba({ features: 3, states: 2, inner: 4, dtRank: 1 });

verifyAdjoint({ name: 'bidirectional s4d', model: both, parameters: initialise(both, 1), frames: 8 });
verifyAdjoint({ name: 'vision mamba', model: vim, parameters: initialise(vim, 2), frames: 6 });

/** Frames in the opposite order. */
const turned = (data: Float64Array, width: number): Float64Array =>
  Float64Array.from(data, (_, i) => data[data.length - width - Math.floor(i / width) * width + (i % width)]!);

describe('bidirectional', () => {
  it('is the one layer forwards and the other backwards', () => {
    const parameters = initialise(both, 3);
    const { input } = drawInputs(both, 40, 4);
    const one = s4d({ features: 2, states: 4 });
    const part = (scope: string): Map<string, Float64Array> =>
      new Map(
        [...parameters]
          .filter(([name]) => name.startsWith(scope))
          .map(([name, values]) => [name.slice(scope.length), values]),
      );
    const ahead = evaluate(one, part('forward.'), { input: input! })['output']!;
    const behind = turned(evaluate(one, part('backward.'), { input: turned(input!, 2) })['output']!, 2);
    const sum = evaluate(both, parameters, { input: input! })['output']!;
    expect(
      relativeError(
        sum,
        ahead.map((y, i) => y + behind[i]!),
      ),
    ).toBeLessThan(1e-14);
    const beside = bidirectional(() => s4d({ features: 2, states: 4 }), { join: 'concat' });
    const pairs = evaluate(beside, parameters, { input: input! })['output']!;
    expect(pairs.length).toBe(2 * sum.length);
    expect([...pairs.subarray(0, 4)]).toEqual([...ahead.subarray(0, 2), ...behind.subarray(0, 2)]);
  });

  it('of one direction alone is Mamba', () => {
    const parameters = initialise(vim, 5);
    parameters.get('D_b')!.fill(0);
    parameters.get('x_proj_b.weight')!.fill(0);
    const names = new Map([...parameters].filter(([name]) => !/_b(\.|_|$)/.test(name)));
    const plain = mamba({ features: 3, states: 2, inner: 4, dtRank: 1 });
    const { input } = drawInputs(vim, 20, 6);
    const wanted = evaluate(plain, names, { input: input! })['output']!;
    expect(relativeError(evaluate(vim, parameters, { input: input! })['output']!, wanted)).toBeLessThan(
      1e-14,
    );
  });

  it('looks the same from both ends, where both directions have the same weights', () => {
    const parameters = initialise(vim, 7);
    for (const [name, values] of parameters) {
      const other = name
        .replace(/^(conv1d|x_proj|dt_proj)\./, '$1_b.')
        .replace(/^A_log$/, 'A_b_log')
        .replace(/^D$/, 'D_b');
      if (other !== name) parameters.get(other)!.set(values);
    }
    const { input } = drawInputs(vim, 25, 8);
    const straight = evaluate(vim, parameters, { input: input! })['output']!;
    const round = evaluate(vim, parameters, { input: turned(input!, 3) })['output']!;
    expect(relativeError(turned(round, 3), straight)).toBeLessThan(1e-13);
  });

  it('is refused on a stream, by name and with the cure', () => {
    for (const model of [both, vim]) {
      expect(() => compile(model, initialise(model, 1))).toThrow(GraphError);
      expect(() => compile(model, initialise(model, 1))).toThrow(
        /reverse .*needs its whole input.*evaluate\(\)/,
      );
    }
  });

  it('has the official names', () => {
    expect([...traceModel(vim).parameters.keys()].sort()).toEqual(
      [
        'A_b_log',
        'A_log',
        'D',
        'D_b',
        'conv1d.bias',
        'conv1d.weight',
        'conv1d_b.bias',
        'conv1d_b.weight',
        'dt_proj.bias',
        'dt_proj.weight',
        'dt_proj_b.bias',
        'dt_proj_b.weight',
        'in_proj.weight',
        'out_proj.weight',
        'x_proj.weight',
        'x_proj_b.weight',
      ].sort(),
    );
  });
});
