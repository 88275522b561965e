/**
 * The pictures of `docs/live-web.md`: the page in light and dark and on a phone, with a recording as its microphone. The
 * models that are trained run as they are; without weights, random ones of the same size stand in.
 *
 *     node test/web/screenshots.ts [folder, docs/live-web by default]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.ts';
import { createWavWriter, decodeWav } from '../../src/audio/index.ts';
import { startServer } from '../../src/cli/serve/server.ts';
import { missingShared, shared } from '../support/shared.ts';
import { launch } from './browser.ts';
import { root, shippedModels } from './fixtures.ts';

interface Shot {
  readonly name: string;
  readonly model: string;
  readonly options: BrowserContextOptions;
  readonly act?: (page: Page) => Promise<void>;
  /** A WAV for the microphone; noisy speech by default. */
  readonly sound?: string | undefined;
}

const folder = mkdtempSync(join(tmpdir(), 'statewave-shots-'));

/** Test recordings of FSDD with pauses between them; without them the digits hear a sentence. */
async function spokenDigits(): Promise<string | undefined> {
  if (missingShared('data', 'fsdd')) return undefined;
  const silence = (seconds: number): Float32Array => new Float32Array(8000 * seconds);
  const words = [
    '3_nicolas_2',
    '1_theo_2',
    '4_lucas_1',
    '1_nicolas_0',
    '5_yweweler_3',
    '9_george_4',
    '2_theo_0',
  ];
  const parts = words.flatMap((word) => {
    const { samples } = decodeWav(readFileSync(shared('data', 'fsdd', 'recordings', `${word}.wav`)));
    return [silence(0.5), samples, silence(0.5)];
  });
  const path = join(folder, 'digits.wav');
  const samples = Float32Array.from(parts.flatMap((part) => [...part]));
  const writer = createWavWriter(path, { sampleRate: 8000, channels: 1 });
  await writer.write(samples);
  await writer.close();
  return path;
}

const desk = { viewport: { width: 1180, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const slide = (id: string, value: number) => (page: Page) =>
  page.evaluate(
    `(() => { const e = document.getElementById('${id}'); e.value = ${value}; e.dispatchEvent(new Event('input')); })()`,
  ) as Promise<void>;

const shots: readonly Shot[] = [
  { name: 'denoiser-light', model: 'denoiser', options: { ...desk, colorScheme: 'light' } },
  {
    name: 'resonator-dark',
    model: 'resonator',
    options: { ...desk, colorScheme: 'dark' },
    async act(page) {
      await slide('damping', 0.3)(page);
      for (let value = 0.35; value < 0.65; value += 0.004) {
        await slide('frequency', value)(page);
        await page.waitForTimeout(16);
      }
    },
  },
  {
    name: 'digits-light',
    model: 'digits',
    options: { ...desk, colorScheme: 'light' },
    sound: await spokenDigits(),
  },
  { name: 'denoiser-phone', model: 'denoiser', options: { ...phone, colorScheme: 'dark' } },
];

const to = process.argv[2] ?? join(root, 'docs/live-web');
mkdirSync(to, { recursive: true });
const models = shippedModels(join(folder, 'models'));
await buildWeb(join(folder, 'site'), { models });
const server = await startServer({ folder: join(folder, 'site'), port: 0 });
try {
  for (const { name, model, options, act, sound = join(root, 'fixtures/speech/noisy.wav') } of shots) {
    const browser = await launch(sound);
    const context = await browser.newContext({ permissions: ['microphone'], ...options });
    const page = await context.newPage();
    await page.goto(server.url);
    await page.check(`input[value=${model}]`, { force: true });
    await page.click('#microphone');
    await page.locator('body[data-source=microphone]').waitFor();
    await page.check('#exact', { force: true });
    await page.waitForTimeout(act ? 3500 : 9500);
    await act?.(page);
    await page.screenshot({ path: join(to, `${name}.jpg`), type: 'jpeg', quality: 85, fullPage: true });
    await context.close();
    await browser.close();
  }
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
