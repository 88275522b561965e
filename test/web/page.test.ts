import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as Models from '../../examples/web/models.ts';
import { buildWeb } from '../../scripts/build-web.ts';
import { createResampler, createWavWriter, readWav } from '../../src/audio/index.ts';
import { startServer, type RunningServer } from '../../src/cli/serve/server.ts';
import { launch, losses, noBrowser, record, recording, sounds } from './browser.ts';
import { callWitness, EARS, listenToAClick, testimony } from './ears.ts';
import { pageModels, randomModels, root, scratch, weightsIn } from './support.ts';

const RATE = 48_000;
const QUANTUM = 128;
const folder = scratch();
const weights = join(folder, 'models');
/** Milliseconds that a browser gets on a busy machine, where it is asked for anything. */
const PATIENCE = 60_000;

if (noBrowser !== undefined) console.warn(`tests in a browser are skipped: ${noBrowser}`);

describe.skipIf(noBrowser !== undefined)('the page', { timeout: 3 * PATIENCE }, () => {
  let browser: Browser;
  let isolated: RunningServer;
  let plain: RunningServer;
  let bare: RunningServer;
  let models: typeof Models;
  /** What the microphone hears, again and again. */
  let speech: Float32Array;

  beforeAll(async () => {
    speech = await speechAt48k();
    const microphone = join(folder, 'microphone.wav');
    const writer = createWavWriter(microphone, { sampleRate: RATE, channels: 1, encoding: 'pcm16' });
    await writer.write(speech);
    await writer.close();
    randomModels(weights);
    await buildWeb(join(folder, 'site'), { models: weights });
    await buildWeb(join(folder, 'bare'), { models: join(folder, 'nowhere') });
    for (const site of ['site', 'bare']) writeFileSync(join(folder, site, 'ears.js'), EARS);
    [browser, isolated, plain, bare, models] = await Promise.all([
      launch(microphone),
      startServer({ folder: join(folder, 'site'), port: 0 }),
      startServer({ folder: join(folder, 'site'), port: 0, isolate: false }),
      startServer({ folder: join(folder, 'bare'), port: 0 }),
      pageModels(join(folder, 'desk')),
    ]);
  }, 3 * PATIENCE);
  afterAll(async () => {
    await browser?.close();
    await Promise.all([isolated, plain, bare].map((server) => server?.close()));
  });

  /** A page with everything that a browser complained about. */
  async function open(
    server: RunningServer,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; complaints: string[]; hosts: Set<string>; transferred: () => Promise<number> }> {
    const context = await browser.newContext({ permissions: ['microphone'], ...options });
    context.setDefaultTimeout(PATIENCE);
    await callWitness(context);
    const page = await context.newPage();
    const complaints: string[] = [];
    const hosts = new Set<string>();
    const sizes: Promise<number>[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    page.on('requestfinished', (request) =>
      sizes.push(request.sizes().then((of) => of.responseBodySize + of.responseHeadersSize)),
    );
    await page.goto(server.url);
    const transferred = async (): Promise<number> => (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
    return { page, complaints, hosts, transferred };
  }

  /** The page's model on a desk, over what the page heard. */
  function onDesk(name: 'denoiser' | 'resonator', heard: Float32Array): Float32Array {
    const context = { sampleRate: RATE, quantum: QUANTUM };
    const model = models.liveModel(name, name === 'denoiser' ? weightsIn(weights, name) : undefined, context);
    const output = new Float32Array(heard.length);
    const quantum = new Float32Array(QUANTUM);
    for (let at = 0; at + QUANTUM <= heard.length; at += QUANTUM) {
      model.process(heard.subarray(at, at + QUANTUM), quantum);
      output.set(quantum, at);
    }
    return output;
  }

  test('denoises a microphone as the model does on a desk, and loses nothing', async () => {
    const { page, complaints, hosts, transferred } = await open(isolated);
    await record(page);
    await page.click('#microphone');
    await page.locator('body[data-source=microphone]').waitFor();
    expect(
      await page.evaluate(() => (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated),
    ).toBe(true);
    expect(await page.textContent('#transport')).toBe('shared memory');
    expect(await page.textContent('#backend')).toMatch(/^WASM/);
    await sounds(page, 5 * RATE);
    const { before, after } = await recording(page);
    expect((await losses(page)).dropped).toBe(0);

    // What went in is what a witness of the same microphone heard, frame by frame.
    expect(agreed(before, await testimony(page))).toBeGreaterThan(3 * RATE);
    // Which is the recording. The browser's own fake microphone slips where the machine is busy, now and then.
    const places = placesOf(before, speech);
    expect(places.length).toBeGreaterThan(6);
    expect(places.filter(({ error }) => error < 0.05).length).toBeGreaterThan(places.length / 2);
    // What came out is what the model makes of it.
    const wanted = onDesk('denoiser', before);
    expect(power(after)).toBeGreaterThan(0.1 * power(before));
    expect(worst(after, wanted)).toBeLessThan(1e-5 * peak(wanted));

    expect([...hosts]).toEqual([new URL(isolated.url).host]);
    expect(await transferred()).toBeLessThan(1_500_000);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('does the same over messages where memory cannot be shared', async () => {
    const { page, complaints } = await open(plain);
    await record(page);
    await page.click('#microphone');
    await page.locator('body[data-source=microphone]').waitFor();
    expect(await page.textContent('#transport')).toBe('messages');
    await sounds(page, 2 * RATE);
    const { before, after } = await recording(page);
    expect(agreed(before, await testimony(page))).toBeGreaterThan(RATE);
    const wanted = onDesk('denoiser', before);
    expect(power(after)).toBeGreaterThan(0.1 * power(before));
    expect(worst(after, wanted)).toBeLessThan(1e-5 * peak(wanted));
    expect((await losses(page)).dropped).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a click arrives after the declared latency and at most two quanta', async () => {
    const { page } = await open(isolated);
    // Two ears beside each other: one at the source, one behind the model.
    await page.click('#microphone');
    await page.locator('body[data-source=microphone]').waitFor();
    await page.click('#microphone');
    const heard = await listenToAClick(page);
    const declared = models.liveModel('denoiser', weightsIn(weights, 'denoiser'), {
      sampleRate: RATE,
      quantum: QUANTUM,
    }).latency;
    const latency = heard.behind - heard.direct;
    expect(latency).toBeGreaterThanOrEqual(declared - 2);
    expect(latency).toBeLessThanOrEqual(declared + 2 * QUANTUM);
    expect(await page.textContent('#latency')).toBe(`${((1000 * declared) / RATE).toFixed(1)} ms`);
    await page.context().close();
  });

  test('a resonance that is moved, by keys alone', async () => {
    const { page, complaints } = await open(isolated, { colorScheme: 'dark' });
    await page.locator('input[value=denoiser]').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#resonator').isVisible()).toBe(true);
    await page.evaluate(() =>
      (
        globalThis as unknown as { document: { activeElement: { blur(): void } } }
      ).document.activeElement.blur(),
    );
    await record(page);
    await page.keyboard.press(' ');
    await page.locator('body[data-source=microphone]').waitFor();
    const before = await page.textContent('#frequency-value');
    await page.locator('#frequency').focus();
    for (let i = 0; i < 5; i++) await page.keyboard.press('PageUp');
    expect(await page.textContent('#frequency-value')).not.toBe(before);
    expect(await page.locator('#frequency').getAttribute('aria-valuetext')).toMatch(/ Hz$/);
    await page.keyboard.press('b');
    expect(await page.locator('#processed').isChecked()).toBe(false);
    await sounds(page, RATE / 2);
    expect(power((await recording(page)).after)).toBeGreaterThan(0);
    // Its state is on the screen.
    expect(await page.textContent('#state-size')).toMatch(/^4 numbers/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a recording instead of a microphone; then digits', async () => {
    const { page, complaints } = await open(isolated);
    await record(page);
    await page.setInputFiles('#file', join(folder, 'microphone.wav'));
    await page.locator('body[data-source=file]').waitFor();
    expect(await page.locator('#listen').isChecked()).toBe(true);
    await sounds(page, RATE / 2);
    expect(power((await recording(page)).before)).toBeGreaterThan(0);
    await page.check('input[value=digits]', { force: true });
    await page.locator('#hearing', { hasText: /word|Heard/ }).waitFor();
    expect(await page.locator('#scores li').count()).toBe(10);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('weights that are missing are said plainly, and the rest works', async () => {
    const { page } = await open(bare);
    await page.locator('#status.problem').waitFor();
    expect(await page.textContent('#status')).toMatch(
      /no weights .*models\/denoiser\.safetensors is missing/,
    );
    await page.check('input[value=resonator]', { force: true });
    await page.click('#microphone');
    await page.locator('body[data-source=microphone]').waitFor();
    expect(await page.textContent('#status')).toMatch(/^The microphone is on/);
    await page.context().close();
  });

  test('fits a phone, and everything that can be moved has a name', async () => {
    const { page } = await open(isolated, {
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    });
    for (const name of ['denoiser', 'digits', 'resonator']) {
      await page.check(`input[value=${name}]`, { force: true });
      const [inner, scroll] = (await page.evaluate(
        '[innerWidth, document.documentElement.scrollWidth]',
      )) as number[];
      expect(scroll).toBeLessThanOrEqual(inner!);
    }
    for (const [role, name] of [
      ['button', /start microphone/i],
      ['radio', /denoiser/i],
      ['radio', /bilinear/i],
      ['switch', /processed/i],
      ['switch', /listen/i],
      ['slider', /frequency/i],
      ['slider', /damping/i],
      ['img', /spectrogram of what comes in/i],
    ] as const) {
      expect(await page.getByRole(role, { name }).count(), `${role} ${name}`).toBe(1);
    }
    const nameless = await page.evaluate(
      `[...document.querySelectorAll('input, button')].filter((e) => !e.labels?.length && !e.textContent.trim()).length`,
    );
    expect(nameless).toBe(0);
    await page.context().close();
  });
});

async function speechAt48k(): Promise<Float32Array> {
  const reader = await readWav(join(root, 'fixtures/speech/noisy.wav'));
  const resampler = createResampler({ from: reader.info.sampleRate, to: RATE, channels: 1 });
  const parts: number[] = [];
  for await (const block of reader.blocks(4096)) {
    parts.push(...resampler.process(Float32Array.from(block)));
    if (parts.length > 12 * RATE) break;
  }
  return Float32Array.from(parts);
}

const power = (x: Float32Array): number => x.reduce((sum, value) => sum + value * value, 0) / x.length;
const peak = (x: Float32Array): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const worst = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

/**
 * How many frames on end are the same in two recordings of one signal, from a quarter of a second after the first sound on. They
 * begin at different quanta, and the one that was asked later is longer.
 *
 * @returns 0 where any frame is another.
 */
function agreed(a: Float32Array, b: Float32Array): number {
  const from = b.findIndex((x) => Math.abs(x) > 1e-3) + RATE / 4;
  const is = (at: number, frames: number): boolean => {
    for (let i = 0; i < frames; i++) if (a[at + i] !== b[from + i]) return false;
    return true;
  };
  for (let at = from % QUANTUM; at + QUANTUM <= a.length; at += QUANTUM) {
    if (!is(at, QUANTUM)) continue;
    const frames = Math.min(a.length - at, b.length - from);
    return is(at, frames) ? frames : 0;
  }
  return 0;
}

/**
 * Where pieces of what was heard, two a second, stand in what was played: by how many samples they are moved, and how
 * much of their power is something else.
 */
function placesOf(heard: Float32Array, played: Float32Array): { offset: number; error: number }[] {
  const places: { offset: number; error: number }[] = [];
  const piece = 512;
  const start = heard.findIndex((x) => Math.abs(x) > 1e-3) + RATE / 4;
  for (let from = start; from + piece < heard.length; from += RATE / 2) {
    const part = heard.subarray(from, from + piece);
    let [best, least] = [0, Infinity];
    for (let at = 0; at + piece < played.length; at++) {
      let sum = 0;
      for (let i = 0; i < piece && sum < least; i++) sum += (part[i]! - played[at + i]!) ** 2;
      if (sum < least) [best, least] = [at, sum];
    }
    places.push({ offset: from - best, error: least / piece / power(part) });
  }
  return places;
}
