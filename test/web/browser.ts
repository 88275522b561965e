/** A headless Chromium whose microphone is a file. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** Why tests in a browser do not run here; undefined where they do. */
export const noBrowser = existsSync(CHROMIUM)
  ? undefined
  : `there is no Chromium at ${CHROMIUM}; install it, or name one in CHROMIUM`;

/** @param microphone a WAV file, played again and again from when the page first asks for the microphone. */
export const browserArguments = (microphone: string): string[] => [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  `--use-file-for-fake-audio-capture=${microphone}`,
  '--autoplay-policy=no-user-gesture-required',
];

export const launch = (microphone: string): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: browserArguments(microphone) });

/** What the page gives to tests; see the end of `examples/web/page.ts`. */
export interface InPage {
  readonly statewaveLive: {
    readonly blocks: { subscribe(take: (block: Float32Array) => void): void };
    session():
      | {
          readonly context: {
            readonly sampleRate: number;
            readonly audioWorklet: { addModule(path: string): Promise<void> };
          };
          readonly node: unknown;
          readonly reader: { readonly scope: Float32Array };
          readonly underruns: number | undefined;
        }
      | undefined;
  };
  recorded: Float32Array[];
}

/** Keeps all that passes by from now on. */
export const record = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const inPage = globalThis as unknown as InPage;
    inPage.recorded = [];
    inPage.statewaveLive.blocks.subscribe((block) => inPage.recorded.push(block));
  });

/** What was kept: before and after. */
export async function recording(page: Page): Promise<{ before: Float32Array; after: Float32Array }> {
  const text = await page.evaluate(() => {
    const { recorded } = globalThis as unknown as InPage;
    let bytes = '';
    for (const block of recorded) {
      for (const byte of new Uint8Array(block.buffer, block.byteOffset, block.byteLength)) {
        bytes += String.fromCharCode(byte);
      }
    }
    return btoa(bytes);
  });
  const bytes = Buffer.from(text, 'base64');
  const both = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return { before: both.filter((_, i) => i % 2 === 0), after: both.filter((_, i) => i % 2 === 1) };
}

/** Frames that the page has been shown so far. */
export const recordedFrames = (page: Page): Promise<number> =>
  page.evaluate(() =>
    (globalThis as unknown as InPage).recorded.reduce((sum, { length }) => sum + length / 2, 0),
  );

/** Waits until that many frames more have passed by. */
export async function frames(page: Page, count: number): Promise<void> {
  const until = (await recordedFrames(page)) + count;
  for (;;) {
    const now = await recordedFrames(page);
    if (now >= until) return;
    await page.waitForTimeout(Math.min(500, ((until - now) / 48) * 0.9 + 20));
  }
}

/** Waits until something is heard, and then for that many frames more. */
export async function sounds(page: Page, count: number): Promise<void> {
  await page.waitForFunction(() =>
    (globalThis as unknown as InPage).recorded.some((block) =>
      block.some((x, i) => i % 2 === 0 && Math.abs(x) > 1e-3),
    ),
  );
  await frames(page, count);
}

/** Underruns of the device, late quanta, and dropped frames so far. */
export const losses = (page: Page): Promise<{ underruns: number; late: number; dropped: number }> =>
  page.evaluate(() => {
    const { reader, underruns = 0 } = (globalThis as unknown as InPage).statewaveLive.session()!;
    return { underruns, late: reader.scope[5]!, dropped: reader.scope[6]! };
  });
