import { afterEach, describe, expect, it, vi } from 'vitest';
import { BackendError } from '../../src/errors.ts';
import { lossCurve, type EpochRecord } from '../../src/train/index.ts';
import { curveSpec } from '../../src/train/curve.ts';

const epoch = (number: number, loss: number, validation?: number): EpochRecord => ({
  epoch: number,
  steps: 10 * (number + 1),
  loss,
  gradientNorm: 1,
  rate: 1,
  ...(validation === undefined ? {} : { validation }),
});
const history = [epoch(0, 2, 1.5), epoch(1, 0.5, 0.25), epoch(2, 0.1, 0.3)];

afterEach(() => vi.doUnmock('vega'));

describe('lossCurve', () => {
  it('draws training and validation, and says which was best', async () => {
    const svg = await lossCurve(history, { title: 'A run', loss: 'mse' });
    expect(svg).toMatch(/^<svg /);
    for (const text of ['A run', 'best validation 0.2500, after epoch 2', 'training', 'validation', '>mse<'])
      expect(svg).toContain(text);
    expect(svg).not.toContain('steps');
  });

  it('is logarithmic where losses are above 0 and far apart', () => {
    const kindOf = (records: readonly EpochRecord[]): string =>
      /"scale":\{"type":"(log|linear)"/.exec(JSON.stringify(curveSpec(records)))![1]!;
    expect(kindOf(history)).toBe('log');
    expect(kindOf([epoch(0, 2), epoch(1, 1)])).toBe('linear');
    expect(kindOf([epoch(0, 20), epoch(1, -10)])).toBe('linear');
  });

  it('averages many steps in groups, each at its place', () => {
    const steps = Array.from({ length: 1200 }, (_, step) => ({ step, loss: step < 600 ? 1 : 3 }));
    const { data } = curveSpec([epoch(119, 2)], { steps }) as {
      data: { values: { line: string; loss: number; epoch: number }[] };
    };
    const groups = data.values.filter(({ line }) => line === 'steps');
    expect(groups.length).toBe(400);
    expect([groups[0]!.loss, groups[399]!.loss]).toEqual([1, 3]);
    // 1200 steps an epoch: the first group is steps 0 to 2.
    expect(groups[0]!.epoch).toBeCloseTo(1.5 / 1200, 12);
  });

  it('says which packages it needs', async () => {
    vi.doMock('vega', () => {
      throw new Error('Cannot find package');
    });
    await expect(lossCurve(history)).rejects.toThrow(BackendError);
    await expect(lossCurve(history)).rejects.toThrow(
      /needs the packages "vega" and "vega-lite": npm install/,
    );
  });
});
