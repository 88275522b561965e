/**
 * The page for as long as people use it: a fake microphone through the denoiser in headless Chromium while another core
 * is kept busy. Says how much was lost, how long the work of a quantum took, and what memory did; then how much garbage
 * each model makes. Fails where anything was lost, time stood still, memory grew, or a quantum's work took more than half of it.
 *
 *     node test/soak/page.ts [minutes, 10 by default]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { chromium, type Page } from 'playwright-core';
import type * as Models from '../../examples/web/models.ts';
import type { ModelName } from '../../examples/web/messages.ts';
import { buildWeb } from '../../scripts/build-web.ts';
import { startServer } from '../../src/cli/serve/server.ts';
import { ringMemory } from '../../src/live/index.ts';
import { LiveProcessor, scope, SharedTap } from '../../src/web/index.ts';
import { allocatedBy } from '../support/allocations.ts';
import { browserArguments, CHROMIUM, losses, noBrowser, type InPage } from '../web/browser.ts';
import { loadBundled, root, shippedModels, weightsIn } from '../web/fixtures.ts';

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) {
  console.error('usage: node test/soak/page.ts [minutes]');
  process.exit(2);
}
if (noBrowser !== undefined) {
  console.error(noBrowser);
  process.exit(2);
}

/** MiB by which memory may be larger at the end than once settled. */
const MOST_GROWTH = 16;
const folder = mkdtempSync(join(tmpdir(), 'statewave-soak-'));
const problems: string[] = [];

/**
 * MiB that the pages' processes below one have to themselves: not the program's own files, which come and go with the
 * memory of the machine, nor what Chromium starts beside them when it likes.
 */
function memoryBelow(pid: number): number {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row)!)
    .map(([, own, parent, args]) => ({ own: Number(own), parent: Number(parent), args: args! }));
  const below = (above: number): number =>
    rows
      .filter(({ parent }) => parent === above)
      .reduce(
        (sum, { own, args }) => sum + (args.includes('--type=renderer') ? ownMemory(own) : 0) + below(own),
        0,
      );
  return below(pid) / 1024;
}

/** kB of anonymous memory, wherever it is. */
function ownMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return [/^RssAnon:\s+(\d+)/m, /^VmSwap:\s+(\d+)/m]
      .map((pattern) => Number(pattern.exec(status)?.[1] ?? 0))
      .reduce((a, b) => a + b);
  } catch {
    return 0;
  }
}

/** After a collection, the least of a few looks. */
async function settledMemory(pid: number, page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  let least = Infinity;
  for (let i = 0; i < 10; i++) {
    least = Math.min(least, memoryBelow(pid));
    await sleep(1000);
  }
  return least;
}

/** Frames, load, and work of a quantum as the page measures them. */
const numbersOf = (page: Page): Promise<number[]> =>
  page.evaluate(() =>
    Array.from((globalThis as unknown as InPage).statewaveLive.session()!.reader.scope.subarray(0, 8)),
  );

const framesOf = (page: Page): Promise<number> =>
  page.evaluate(() => (globalThis as unknown as InPage).statewaveLive.session()!.reader.scope[0]!);

async function soak(models: string): Promise<void> {
  await buildWeb(join(folder, 'site'), { models });
  const server = await startServer({ folder: join(folder, 'site'), port: 0 });
  const busy = new Worker('for (;;);', { eval: true });
  const browser = await chromium.launchServer({
    executablePath: CHROMIUM,
    args: browserArguments(join(root, 'fixtures/speech/noisy.wav')),
  });
  try {
    const client = await chromium.connect(browser.wsEndpoint());
    const page = await (await client.newContext({ permissions: ['microphone'] })).newPage();
    await page.goto(server.url);
    await page.click('#microphone');
    await page.locator('body[data-source=microphone]').waitFor();
    // The fine clock makes garbage of its own: a third of the time is for it, the rest for memory.
    const end = Date.now() + minutes * 60_000;
    await page.check('#exact', { force: true });
    await sleep(minutes * 20_000);
    const [, load, p999, worst, quantum] = (await numbersOf(page)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const measured = await losses(page);
    await page.uncheck('#exact', { force: true });
    await sleep(Math.min(20_000, minutes * 10_000));
    const pid = browser.process().pid!;
    const first = await settledMemory(pid, page);
    const started = { frames: await framesOf(page), at: performance.now() };
    console.log(`measured, and settled: ${first.toFixed(0)} MiB, ${JSON.stringify(measured)}`);
    while (Date.now() < end) {
      await sleep(Math.min(30_000, Math.max(1000, end - Date.now())));
      console.log(
        `${((end - Date.now()) / 60_000).toFixed(1)} minutes left: ${JSON.stringify(await losses(page))}`,
      );
    }
    const heard = ((await framesOf(page)) - started.frames) / 48_000;
    const passed = (performance.now() - started.at) / 1000;
    const growth = (await settledMemory(pid, page)) - first;
    const { underruns, dropped } = await losses(page);
    const { late } = measured;
    const frames = await framesOf(page);
    console.log(
      `${(frames / 48_000).toFixed(0)} s, ${heard.toFixed(1)} s of sound in the last ${passed.toFixed(1)} s: ${underruns} underruns, ${late} late quanta, ${dropped} dropped frames; ` +
        `load ${(100 * load).toFixed(1)} %, work p99.9 ${p999.toFixed(0)} µs (${((100 * p999) / quantum).toFixed(0)} % of ` +
        `a quantum), worst ${worst.toFixed(0)} µs; memory ${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MiB`,
    );
    // A quantum that is late by the clock is no underrun yet: the device has some in hand.
    if (underruns + dropped > 0) problems.push('sound was lost');
    // Chromium's own stand-in for a sound card leaves time out rather than say so.
    if (heard < 0.999 * passed) problems.push(`the device stood still for ${(passed - heard).toFixed(1)} s`);
    if (p999 > quantum / 2) problems.push('work takes more than half of a quantum');
    if (growth > MOST_GROWTH) problems.push(`memory grew by more than ${MOST_GROWTH} MiB`);
    await client.close();
  } finally {
    await Promise.all([browser.close(), busy.terminate(), server.close()]);
  }
}

async function garbage(models: string): Promise<void> {
  const context = { sampleRate: 48_000, quantum: 128 };
  const loaded = await loadBundled(join(folder, 'desk'), { models: join(root, 'examples/web/models.ts') });
  const { liveModel } = loaded['models'] as typeof Models;
  for (const name of ['resonator', 'denoiser', 'digits'] satisfies ModelName[]) {
    const memory = {
      ring: ringMemory({ frames: 4096, channels: 2 }),
      scope: new SharedArrayBuffer(4 * scope.SCOPE_SIZE),
    };
    const processor = new LiveProcessor(context, new SharedTap(memory));
    processor.load(liveModel(name, name === 'resonator' ? undefined : weightsIn(models, name), context));
    processor.measure(() => 0, { every: 0 });
    const input = new Float32Array(128);
    const outputs = [new Float32Array(128)];
    let k = 0;
    const quantum = (): void => {
      for (let i = 0; i < 128; i++, k++) input[i] = Math.sin(k / 20) / 2;
      processor.process(input, outputs);
    };
    // Engines optimise rarely called functions late.
    for (let i = 0; i < 100_000; i++) quantum();
    const bytes = allocatedBy(8000, quantum);
    console.log(`${name}: ${bytes.toFixed(1)} bytes of garbage a quantum`);
    // A tone without an end is a word every second and a half to the gate in front of the digits, and each word starts
    // the stream anew.
    if (bytes >= 1) problems.push(`${name} makes garbage`);
  }
}

try {
  const models = shippedModels(join(folder, 'models'));
  await soak(models);
  await garbage(models);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
