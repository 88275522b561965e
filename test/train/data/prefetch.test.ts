import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ArgumentError, BackendError, FormatError } from '../../../src/errors.ts';
import { openSource, prefetch, type Description } from '../../../src/train/data/index.ts';
import { collect, temporaryFolder, voice, writeWav } from './support.ts';

const root = temporaryFolder();
const files = join(root, 'speech');
const description: Description = {
  kind: 'denoise',
  speech: files,
  speaker: '^(.)',
  frames: 2000,
  batch: 2,
  batchesPerEpoch: 7,
  seed: 3,
  cache: join(root, 'cache'),
};
/** A source of one's own that fails at batch 3 of every epoch. */
const own = join(root, 'own.mjs');

beforeAll(async () => {
  mkdirSync(files);
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    await writeWav(join(files, `${name}.wav`), voice(8000, 100 + 30 * i));
  }
  writeFileSync(
    own,
    `export default ({ count }) => ({
      targets: [], batchesPerEpoch: count, facts: { items: count }, close: async () => {},
      *batches(epoch, from) {
        for (let n = from; n < count; n++) {
          if (n === 3) throw new RangeError('batch 3 of epoch ' + epoch + ' is not to be had');
          yield { items: 1, frames: 1, lengths: [1], inputs: { input: Float32Array.of(epoch, n) }, targets: {} };
        }
      },
    });`,
  );
});

describe('prefetch', () => {
  it.each([1, 2])('brings the batches of the source itself, from %i threads', async (workers) => {
    const plain = await openSource(description);
    const ahead = await prefetch(description, { batches: 4, workers });
    expect(ahead.batchesPerEpoch).toBe(7);
    expect(ahead.targets).toEqual(plain.targets);
    expect(ahead.facts).toEqual(plain.facts);
    expect(await collect(ahead, 0)).toEqual(await collect(plain, 0));
    expect(await collect(ahead, 2, 5)).toEqual(await collect(plain, 2, 5));
    // Who stops early, and begins again.
    for await (const _ of ahead.batches(1, 0)) break;
    expect(await collect(ahead, 1, 1)).toEqual(await collect(plain, 1, 1));
    await ahead.close();
    await ahead.close();
    await plain.close();
    await expect(collect(ahead)).rejects.toThrow(BackendError);
  });

  it.each([
    ['closed', 'await source.close();'],
    ['forgotten', ''],
  ])('lets a program end that has %s it', (_, end) => {
    const index = new URL('../../../src/train/data/index.ts', import.meta.url);
    const program = join(root, 'program.mjs');
    writeFileSync(
      program,
      `import { prefetch } from '${index.href}';
      const source = await prefetch(${JSON.stringify(description)});
      for await (const batch of source.batches(0, 5)) console.log(batch.items);
      ${end}
      console.log('end');`,
    );
    const { stdout, stderr, status } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    expect({ stdout, stderr, status }).toEqual({ stdout: '2\n2\nend\n', stderr: '', status: 0 });
  });

  it('throws what the source throws when it is opened, with its class', async () => {
    await expect(prefetch({ ...description, speech: join(root, 'gone') })).rejects.toThrow(ArgumentError);
    await expect(prefetch({ ...description, speech: join(root, 'gone') })).rejects.toThrow(
      /gone: there is no such/,
    );
    const bad = join(root, 'bad.csv');
    writeFileSync(bad, 'a\nx\n');
    await expect(
      prefetch({ kind: 'series', files: bad, inputs: ['a'], frames: 1, batch: 1, part: 'train' }),
    ).rejects.toThrow(FormatError);
    await expect(prefetch(description, { batches: 0 })).rejects.toThrow(/prefetch: batches is 0/);
  });

  it('throws where the batch is asked for that could not be made', async () => {
    const source = await prefetch({ kind: 'module', module: own, options: { count: 6 } });
    const seen: number[][] = [];
    const read = async (): Promise<void> => {
      for await (const batch of source.batches(2, 0)) seen.push([...batch.inputs['input']!]);
    };
    await expect(read()).rejects.toThrow(/batch 3 of epoch 2 is not to be had/);
    expect(seen).toEqual([
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
    expect((await collect(source, 0, 4)).length).toBe(2);
    await source.close();
    await expect(prefetch({ kind: 'module', module: own, export: 'none' })).rejects.toThrow(
      /no function "none"/,
    );
  });
});
