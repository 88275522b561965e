import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { denormalise, series } from '../../../src/train/data/index.ts';
import { collect, temporaryFolder } from './support.ts';

const root = temporaryFolder();
const csv = (name: string, lines: readonly string[]): string => {
  const path = join(root, name);
  writeFileSync(path, lines.join('\n'));
  return path;
};
/** time, load = 10 + row, and a column of text with a comma in it. */
const file = csv('load.csv', [
  'time,load,"what, it was",heat',
  ...Array.from({ length: 100 }, (_, row) => `2020-01-01,${10 + row},"a, b",${row % 2}`),
]);
const base = { files: file, inputs: ['load'], frames: 5, batch: 4, shuffle: false } as const;

describe('series', () => {
  it('normalises every part by the training part alone', async () => {
    const train = await series({ ...base, part: 'train', split: [0.5, 0.25, 0.25] });
    // load is 10 … 59 there.
    expect(train.normalisation.inputs.offset[0]).toBeCloseTo(34.5, 9);
    expect(train.normalisation.inputs.scale[0]).toBeCloseTo(Math.sqrt((50 ** 2 - 1) / 12), 9);
    const test = await series({ ...base, part: 'test', split: [0.5, 0.25, 0.25] });
    expect(test.normalisation).toEqual(train.normalisation);
    const [batch] = await collect(test);
    const back = denormalise(batch!.inputs['input']!.slice(0, 5), test.normalisation.inputs);
    back.forEach((value, k) => expect(value).toBeCloseTo(85 + k, 4));
    expect((await collect(train)).flatMap(({ lengths }) => lengths).length).toBe(10);
  });

  it('forecasts: the target is rows ahead, and no window reaches out of its part', async () => {
    const source = await series({
      ...base,
      outputs: ['heat', 'load'],
      ahead: 2,
      starts: 1,
      part: 'train',
      split: [0.2, 0.4, 0.4],
      normalise: 'none',
    });
    const batches = await collect(source);
    // Rows 0 … 19: the last window begins at 20 − 5 − 2.
    expect(batches.reduce((sum, { items }) => sum + items, 0)).toBe(14);
    const last = batches.at(-1)!;
    expect(last.inputs['input']!.slice(-5)).toEqual(Float32Array.of(23, 24, 25, 26, 27));
    expect(last.targets['output']!.slice(-10)).toEqual(Float32Array.of(1, 25, 0, 26, 1, 27, 0, 28, 1, 29));
  });

  it('carries the state on through long series', async () => {
    const source = await series({ ...base, part: 'train', chunks: 3, batch: 2, normalise: 'range' });
    const batches = await collect(source);
    // 70 rows: 4 stretches of 15 rows and one of 10, two side by side: 2 + 3 + 3 batches.
    expect(batches.map((batch) => batch.carried)).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
      true,
      true,
    ]);
    for (const batch of batches)
      for (const x of batch.inputs['input']!) expect(Math.abs(x)).toBeLessThanOrEqual(1);
  });

  it('names file, row and column of what is no number, and fills gaps as told', async () => {
    const gaps = csv('gaps.csv', ['a,b', '1,5', ',6', 'NaN,7', '4,8']);
    const options = {
      ...base,
      files: gaps,
      inputs: ['a'],
      frames: 4,
      part: 'train',
      split: [1, 0, 0],
      normalise: 'none',
    } as const;
    await expect(series(options)).rejects.toThrow(
      /gaps\.csv: "" in row 3, column "a", is no number; .*missing: 'hold'/,
    );
    const values = async (missing: 'hold' | 'zero'): Promise<number[]> => [
      ...(await collect(await series({ ...options, missing })))[0]!.inputs['input']!,
    ];
    expect(await values('hold')).toEqual([1, 1, 1, 4]);
    expect(await values('zero')).toEqual([1, 0, 0, 4]);
    await expect(series({ ...options, inputs: ['c'] })).rejects.toThrow(/no column "c"; there are a, b/);
    const bad = csv('bad.csv', ['a', '1', '12 kW']);
    await expect(series({ ...options, files: bad, missing: 'hold' })).rejects.toThrow(/"12 kW" in row 3/);
    const ragged = csv('ragged.csv', ['a,b', '1,2', '3']);
    await expect(series({ ...options, files: ragged })).rejects.toThrow(
      /ragged\.csv: .*correct the CSV file/,
    );
    await expect(series({ ...options, files: join(root, 'none.csv') })).rejects.toThrow(
      /none\.csv: there is no such/,
    );
    await expect(series({ ...options, missing: 'hold', frames: 9 })).rejects.toThrow(
      /longest train part has 4 rows, a window of 9/,
    );
  });
});
