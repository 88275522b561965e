import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readAudio } from '../../src/audio/index.ts';
import { lineOf } from '../../src/cli/mic/line.ts';
import type { MicSummary } from '../../src/cli/mic/summary.ts';
import { noise, outcome, scratch, start, statewave, writeWav } from './support.ts';

const path = scratch();
/** Milliseconds: a busy machine makes sound that keeps its pace late. */
const PATIENCE = 120_000;
const lowpass = '--filter lowpass --cutoff 3000'.split(' ');

/** Two channels of noise at 16 kHz. */
async function clip(name: string, seconds: number): Promise<string> {
  await writeWav(path(name), noise(2 * 16_000 * seconds, 3), {
    sampleRate: 16_000,
    channels: 2,
    encoding: 'pcm16',
  });
  return path(name);
}

async function mic(...args: string[]): Promise<MicSummary> {
  const { status, stdout, stderr } = await statewave(['mic', ...args, '--json']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout.toString()) as MicSummary;
}

describe('statewave mic', { timeout: PATIENCE }, () => {
  it('takes a file the same way as a microphone: at its pace, or as fast as it goes, it is what process makes of it', async () => {
    const input = await clip('in.wav', 1);
    const kept = ['--encoding', 'float32'];
    await statewave(['process', input, path('offline.wav'), ...lowpass, ...kept]);
    const offline = await readAudio(path('offline.wav'));
    for (const pace of [[], ['--fast']]) {
      const output = path(`live${pace.join('')}.wav`);
      const summary = await mic(...lowpass, ...kept, ...pace, '--input', input, '--output', output);
      expect(summary).toMatchObject({
        frames: 16_000,
        channels: 2,
        sampleRate: 16_000,
        dropped: 0,
        missing: 0,
      });
      const { samples, info } = await readAudio(output);
      expect(info.sampleRate).toBe(16_000);
      expect(samples).toEqual(offline.samples);
    }
  });

  it('says how long a click takes: what is declared, where the model adds nothing of its own', async () => {
    const input = await clip('short.wav', 1);
    const allpass = '--biquad allpass --frequency 20 --buffer 1000 --rate 48000 --measure-latency'.split(' ');
    const { latency } = await mic(...allpass, '--input', input, '--output', 'none');
    expect(latency.click).toMatchObject({ declared: 48_000, delay: 48_000, milliseconds: 1000 });
    expect(latency.click!.peak).toBeGreaterThan(0.4);
  });

  it('stops after the seconds that it is given', async () => {
    const input = await clip('long.wav', 3);
    const summary = await mic(
      ...lowpass,
      '--fast',
      '--input',
      input,
      '--output',
      path('cut.wav'),
      '--seconds',
      '0.5',
    );
    expect(summary.frames).toBe(8000);
    expect((await readAudio(path('cut.wav'))).info.frames).toBe(8000);
  });

  it('is ended by Ctrl-C with a file that is whole', async () => {
    const input = await clip('endless.wav', 60);
    const output = path('interrupted.wav');
    const child = start(['mic', ...lowpass, '--input', input, '--output', output, '--json']);
    const ended = outcome(child);
    // It is written beside its name until it is complete.
    const isBegun = (): boolean => readdirSync(path('')).some((name) => name.includes('interrupted'));
    while (!isBegun()) await sleep(50);
    await sleep(500);
    child.kill('SIGINT');
    const { status, stdout, stderr } = await ended;
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
    const summary = JSON.parse(stdout.toString()) as MicSummary;
    expect(summary.interrupted).toBe('SIGINT');
    expect(summary.frames).toBeLessThan(60 * 16_000);
    expect((await readAudio(output)).info.frames).toBe(summary.frames);
  });

  it.each([
    [['--output', 'none', '--output', 'speaker'], /--output is speaker and none/],
    [['--output', 'a.wav', '--output', 'b.wav'], /names 2 files/],
    [['--fast'], /--fast needs --input/],
    [['--input', 'a.wav', '--device', 'b'], /--input and --device/],
    [['--speaker', 'x', '--output', 'none'], /--speaker needs --output speaker/],
    [['--input', '-'], /statewave process/],
  ])('%j is bad usage', async (args, message) => {
    const { status, stdout, stderr } = await statewave(['mic', ...lowpass, ...args]);
    expect(stderr).toMatch(message);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 2, stdout: '' });
  });

  it('a device that is not there is said plainly, and no file is begun', async () => {
    const args = [...lowpass, '--device', 'no such device', '--output', path('none.wav')];
    const { status, stdout, stderr } = await statewave(['mic', ...args]);
    expect(stderr).toMatch(/^statewave: no microphone could be opened \(.+\); plug one in, name one/);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: '' });
    expect(existsSync(path('none.wav'))).toBe(false);
  });

  it('a file that is no recording is refused before anything is opened', async () => {
    writeFileSync(path('text.wav'), 'not a recording');
    const { status, stderr } = await statewave([
      'mic',
      ...lowpass,
      '--input',
      path('text.wav'),
      '--output',
      'none',
    ]);
    expect(stderr).toMatch(/^statewave: .*text\.wav/);
    expect(status).toBe(1);
  });

  it('fits its line to the terminal', () => {
    const levels = { peakIn: 0.5, rmsIn: 0.1, peakOut: 0, rmsOut: 0, clipped: 0, nonFinite: 0, zeros: 0 };
    const work = { frames: 48_000, busy: 20, worstLoad: 0.1 };
    const queues = { queuedIn: 480, queuedOut: 1920, dropped: 7, missing: 0 };
    const status = { ...levels, ...work, ...queues };
    const line = lineOf({ seconds: 61, status, sampleRate: 48_000, load: 0.02 }, 200);
    expect(line).toMatch(
      /in █+·*│·* +−6 dB +out ·*│?·* +−∞ dB +load 2 % +queue 50 ms +dropped 7 +missing 0$/,
    );
    expect(lineOf({ seconds: 61, status, sampleRate: 48_000, load: 0.02 }, 40)).toHaveLength(40);
  });
});
