import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../scripts/build-web.ts';
import { startServer, type RunningServer } from '../../src/cli/serve/server.ts';
import { launch, noBrowser, record, sounds } from './browser.ts';
import { randomModels, root, scratch } from './support.ts';

const folder = scratch();
/** Milliseconds that a browser gets on a busy machine, where it is asked for anything. */
const PATIENCE = 60_000;

describe.skipIf(noBrowser !== undefined)(
  'the page, where something goes wrong',
  { timeout: 3 * PATIENCE },
  () => {
    let browser: Browser;
    let server: RunningServer;

    beforeAll(async () => {
      await buildWeb(join(folder, 'site'), { models: randomModels(join(folder, 'models')) });
      [browser, server] = await Promise.all([
        launch(join(root, 'fixtures/speech/noisy.wav')),
        startServer({ folder: join(folder, 'site'), port: 0 }),
      ]);
    }, 3 * PATIENCE);
    afterAll(async () => {
      await browser?.close();
      await server?.close();
    });

    /** @param script to be run before the page's own. */
    async function open(script = ''): Promise<Page> {
      const context = await browser.newContext({ permissions: ['microphone'] });
      context.setDefaultTimeout(PATIENCE);
      await context.addInitScript(`
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      globalThis.tracks = [];
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const stream = await ask(constraints);
        tracks.push(...stream.getTracks());
        return stream;
      };
      ${script}`);
      const page = await context.newPage();
      await page.goto(server.url);
      return page;
    }
    const tracks = (page: Page): Promise<string[]> =>
      page.evaluate('globalThis.tracks.map(({ readyState }) => readyState)');
    const status = async (page: Page, text: RegExp): Promise<void> => {
      await page.locator('#status', { hasText: text }).waitFor();
    };

    test.each([
      ['NotAllowedError', /does not let this page use the microphone: allow it/],
      ['NotFoundError', /There is no microphone: connect one, or drop a recording/],
      ['NotReadableError', /The microphone does not start: it is in use/],
    ])('%s of the microphone is said plainly, and a recording still plays', async (name, text) => {
      const page = await open(
        `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('it is in use', '${name}'));`,
      );
      await page.click('#microphone');
      await status(page, text);
      expect(await page.locator('#microphone').isEnabled()).toBe(true);
      expect(await page.getAttribute('#microphone', 'aria-pressed')).toBe('false');
      await page.setInputFiles('#file', join(root, 'fixtures/speech/noisy.wav'));
      await page.locator('body[data-source=file]').waitFor();
      await page.context().close();
    });

    test('stopped, the microphone is given back; started again, it is heard again', async () => {
      const page = await open();
      await record(page);
      for (const before of [[], ['ended'], ['ended', 'ended']]) {
        await page.click('#microphone');
        await page.locator('body[data-source=microphone]').waitFor();
        expect(await tracks(page)).toEqual([...before, 'live']);
        await page.evaluate('globalThis.recorded.length = 0');
        await sounds(page, 4800);
        await page.click('#microphone');
        await page.locator('body[data-source=""]').waitFor();
      }
      expect(await tracks(page)).toEqual(['ended', 'ended', 'ended']);
      await page.context().close();
    });

    test('a microphone that is pulled out ends the run, and another one can begin', async () => {
      const page = await open();
      await page.click('#microphone');
      await page.locator('body[data-source=microphone]').waitFor();
      await page.evaluate(`tracks[0].stop(); tracks[0].dispatchEvent(new Event('ended'))`);
      await status(page, /The microphone has gone: connect it/);
      expect(await page.getAttribute('body', 'data-source')).toBe('');
      await page.click('#microphone');
      await page.locator('body[data-source=microphone]').waitFor();
      expect(await tracks(page)).toEqual(['ended', 'live']);
      await page.context().close();
    });

    test('a file that is no sound is refused, and what was playing goes on', async () => {
      const page = await open();
      await page.click('#microphone');
      await page.locator('body[data-source=microphone]').waitFor();
      await page.setInputFiles('#file', {
        name: 'notes.wav',
        mimeType: 'audio/wav',
        buffer: Buffer.from('not a sound at all'),
      });
      await status(page, /cannot decode this file: give it a WAV/);
      expect(await page.getAttribute('body', 'data-source')).toBe('microphone');
      expect(await tracks(page)).toEqual(['live']);
      await page.context().close();
    });

    test('a recording that is dropped on the page takes the place of the microphone', async () => {
      const page = await open();
      await page.click('#microphone');
      await page.locator('body[data-source=microphone]').waitFor();
      await page.evaluate(`(() => {
      const rate = 8000, bytes = new DataView(new ArrayBuffer(44 + 2 * rate));
      const words = [0x52494646, 0, 0x57415645, 0x666d7420];
      words.forEach((word, i) => bytes.setUint32(4 * i, word));
      bytes.setUint32(4, 36 + 2 * rate, true);
      [16, 0x00010001, rate, 2 * rate, 0x00100002].forEach((word, i) => bytes.setUint32(16 + 4 * i, word, true));
      bytes.setUint32(36, 0x64617461);
      bytes.setUint32(40, 2 * rate, true);
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], 'second.wav', { type: 'audio/wav' }));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    })()`);
      await page.locator('body[data-source=file]').waitFor();
      expect(await tracks(page)).toEqual(['ended']);
      await status(page, /second\.wav has ended/);
      await page.context().close();
    });
  },
);
