import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { from, lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { ssm } from '../../operators/index.ts';
import { bundle } from '../../scripts/build-web.ts';
import { filter } from '../../src/index.ts';
import { withoutKernels } from '../../src/web/index.ts';
import { root, scratch } from './support.ts';

const folder = scratch();
const entry = join(folder, 'filters.ts');
writeFileSync(
  entry,
  `import { ssm } from 'statewave/operators';
   import { filter, biquadFilter, lti, compile } from 'statewave';
   export { ssm, filter, biquadFilter, lti, compile };`,
);
const plugins = [withoutKernels()];

test('operators with filters alone: at most 60 kB, minified and compressed, without rxjs', async () => {
  const [chunk, ...others] = await bundle({ filters: entry }, { external: [/^rxjs/], plugins });
  expect(others).toEqual([]);
  expect(gzipSync(chunk!.code, { level: 9 }).length).toBeLessThanOrEqual(60_000);
});

test('and with the kernels, at most 130 kB', async () => {
  const [chunk] = await bundle({ filters: entry }, { external: [/^rxjs/] });
  expect(gzipSync(chunk!.code, { level: 9 }).length).toBeLessThanOrEqual(130_000);
});

test('the small bundle filters as the library does', async () => {
  const [chunk] = await bundle({ filters: entry }, { plugins });
  const path = join(folder, 'filters.mjs');
  writeFileSync(path, chunk!.code);
  const small = (await import(pathToFileURL(path).href)) as { filter: typeof filter; ssm: typeof ssm };
  const block = Float32Array.from({ length: 256 }, (_, k) => Math.sin(k / 3) + Math.sin(k * 2));
  const through = async (made: typeof small): Promise<number[][]> => {
    const low = made.filter({ family: 'butterworth', order: 4, type: 'lowpass', cutoff: 1000 });
    const blocks = from([block, block]).pipe(made.ssm(low, {}, { sampleRate: 16_000 }), toArray());
    return (await lastValueFrom(blocks)).map((part) => Array.from(part as Float32Array));
  };
  expect(await through(small)).toEqual(await through({ filter, ssm }));
});

test('the package says nothing of Node to a browser', async () => {
  // `bundle` refuses chunks that import what no browser has.
  const chunks = await bundle({
    page: join(root, 'examples/web/page.ts'),
    worklet: join(root, 'examples/web/worklet.ts'),
  });
  expect(chunks.map(({ name }) => name)).toContain('worklet');
  expect(chunks.flatMap(({ imports }) => imports).filter((name) => !/^shared-.*\.js$/.test(name))).toEqual(
    [],
  );
});
