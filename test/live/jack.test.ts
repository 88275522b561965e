/**
 * End to end: a clip is played into a virtual sound card, and `statewave mic`, or the example, takes it for a
 * microphone's. A program of JACK's records what went in and what came out, side by side.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAudio } from '../../src/audio/index.ts';
import type { MicSummary } from '../../src/cli/mic/summary.ts';
import { biquadFilter, compile, filter, type Model } from '../../src/index.ts';
import { main, node, noise, outcome, scratch, writeWav } from '../cli/support.ts';
import { missingJack, portsOf, startJack, type Jack } from './support/jack.ts';

const path = scratch();
const player = fileURLToPath(new URL('support/player.ts', import.meta.url));
const example = fileURLToPath(new URL('../../examples/microphone.ts', import.meta.url));
const missing = missingJack();
/** Frames that the card takes at a time. */
const PERIOD = 1024;
/** Milliseconds that programs get on a busy machine, to start and to end. */
const PATIENCE = 60_000;

const lowpass = filter({ family: 'butterworth', order: 4, type: 'lowpass', cutoff: 4000 });
/** Of the example. */
const RUMBLE = [
  { type: 'highpass', frequency: 80, Q: Math.SQRT1_2 },
  { type: 'notch', frequency: 50, Q: 10 },
  { type: 'notch', frequency: 150, Q: 30 },
] as const;

/** Frames of an utterance, and how often it is said. */
const UTTERANCE = 16_000;
const TIMES = 6;

/** Silence, a click, silence, noise, several times: so that what comes back can be found, and compared. */
function clip(): Float32Array {
  const samples = new Float32Array(TIMES * UTTERANCE);
  for (let time = 0; time < TIMES; time++) {
    samples[time * UTTERANCE + 1000] = 0.5;
    samples.set(noise(12_000, time + 1), time * UTTERANCE + 3000);
  }
  return samples;
}

/** Where the loudest sample of the first click is: the first that is not silent, and a little more. */
function clickIn(samples: Float32Array): number {
  const first = samples.findIndex((x) => Math.abs(x) > 1e-3);
  let loudest = first;
  for (let k = first; k < first + 1000; k++)
    if (Math.abs(samples[k]!) > Math.abs(samples[loudest]!)) loudest = k;
  return loudest;
}

/** The largest difference of two stretches, as long as the first. */
function difference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, x, k) => Math.max(worst, Math.abs(x - b[k]!)), 0);
}

/**
 * Where utterances came back whole: what is to be added to a place in `wanted` to have the one in `heard`. On a busy
 * machine `node-web-audio-api` leaves out some quanta of a microphone now and then, or puts as many of silence between:
 * utterances with such a place in them are not here, and those behind it have moved.
 */
function whole(heard: Float32Array, wanted: Float32Array, tolerance: number): number[] {
  const first = clickIn(heard) - clickIn(wanted);
  const found: number[] = [];
  for (let from = 0; from < wanted.length; from += UTTERANCE) {
    const part = wanted.subarray(from, from + UTTERANCE - 1000);
    for (let quanta = -64; quanta <= 64; quanta++) {
      const at = first + 128 * quanta;
      const is = (begin: number, end: number): boolean =>
        at + from + begin >= 0 &&
        difference(part.subarray(begin, end), heard.subarray(at + from + begin, at + from + end)) < tolerance;
      if (is(7000, 7100) && is(0, part.length)) found.push(at);
    }
  }
  return found;
}

const offline = (model: Model, samples: Float32Array): Float32Array =>
  compile(model, {}, { sampleRate: 48_000 }).push(samples) as Float32Array;

const on = `on a sound card (needs ${missing ?? 'JACK'})`;
describe.skipIf(missing !== undefined)(on, { timeout: 5 * PATIENCE }, () => {
  const samples = clip();
  let jack: Jack;
  beforeAll(() =>
    writeWav(path('clip.wav'), samples, { sampleRate: 48_000, channels: 1, encoding: 'float32' }),
  );
  beforeEach(async () => {
    jack = await startJack(PERIOD);
  }, PATIENCE);
  afterEach(() => jack?.stop(), PATIENCE);

  /** Somebody in front of a program's microphone; says the clip once when told to. */
  async function voiceFor(program: ChildProcess): Promise<{ output: string; speak: () => Promise<unknown> }> {
    const voice = jack.start(node, [player, path('clip.wav')]);
    const lines = createInterface({ input: voice.stdout! });
    await once(lines, 'line');
    const { output } = portsOf(voice);
    const { input } = portsOf(program);
    await jack.appear(output, input);
    await jack.connect(output, input);
    return {
      output,
      speak() {
        const spoken = once(lines, 'line');
        voice.stdin!.write('play\n');
        return spoken;
      },
    };
  }

  it('statewave mic gives what the model gives offline, later by what it declares, to be heard and to a file', async () => {
    // Long enough for any thread to get its turn.
    const buffer = 3000;
    const options = `--filter lowpass --cutoff 4000 --buffer ${buffer} --seconds 60 --encoding float32 --json`;
    const to = ['--output', 'speaker', '--output', path('taken.wav')];
    const mic = jack.start(node, [main, 'mic', ...options.split(' '), ...to]);
    const ended = outcome(mic);
    const { output, speak } = await voiceFor(mic);
    const there = portsOf(mic).output;
    await jack.appear(there);
    // The first channel is what goes in, the second what comes out.
    const format = '-d 7 -b 32 -B 262144'.split(' ');
    const recorder = jack.start('jack_rec', ['-f', path('heard.wav'), ...format, output, there]);
    const recorded = once(recorder, 'exit');
    recorder.stdout!.resume();
    recorder.stderr!.resume();
    await jack.appear('jackrec:input1', 'jackrec:input2');
    await speak();
    await recorded;
    mic.kill('SIGINT');
    const { status, stdout, stderr } = await ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const summary = JSON.parse(stdout.toString()) as MicSummary;
    expect(summary).toMatchObject({
      interrupted: 'SIGINT',
      dropped: 0,
      missing: 0,
      nonFinite: 0,
      sampleRate: 48_000,
    });
    expect(summary.latency).toMatchObject({ frames: 48 * buffer, buffer, model: 0, resampling: 0 });

    const wanted = offline(lowpass, samples);
    const heard = await readAudio(path('heard.wav'));
    const [into, out] = [0, 1].map((c) => heard.samples.filter((_, i) => i % 2 === c)) as [
      Float32Array,
      Float32Array,
    ];
    const sent = clickIn(into) - clickIn(samples);
    expect(difference(samples, into.subarray(sent))).toBeLessThan(1e-7);
    const [came] = whole(out, wanted, 1e-6);
    // What the card itself adds is whole quanta: of its own queues, which nobody declares.
    const card = (came! - sent - summary.latency.frames) / 128;
    expect(card).toBe(Math.round(card));
    expect(card).toBeGreaterThanOrEqual(0);
    expect(card).toBeLessThanOrEqual(64);

    // The file has what was heard, all of it.
    const taken = await readAudio(path('taken.wav'));
    expect(taken.info.frames).toBe(summary.frames);
    const [from, then] = [clickIn(taken.samples), clickIn(out)];
    const frames = (TIMES - 1) * UTTERANCE;
    expect(difference(taken.samples.subarray(from, from + frames), out.subarray(then))).toBeLessThan(1e-7);
  });

  it('the example with fromMicrophone writes what the filter makes of the clip', async () => {
    const listening = jack.start(node, [example, path('example.wav')]);
    const ended = outcome(listening);
    const { speak } = await voiceFor(listening);
    const levels = createInterface({ input: listening.stdout! });
    await speak();
    // What was played last is still on its way, a period or two; levels are said every half second of sound.
    for (let i = 0; i < 2; i++) await once(levels, 'line');
    listening.kill('SIGINT');
    const { status, stdout, stderr } = await ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.toString()).toMatch(
      /^listening at 48000 Hz.*\n(.* dBFS in, .* dBFS out\n)+.*example\.wav: [\d.]+ s\n$/,
    );
    const taken = await readAudio(path('example.wav'));
    // 16 bits of a file.
    expect(whole(taken.samples, offline(biquadFilter(RUMBLE), samples), 2 ** -15)).not.toEqual([]);
  });

  it('a card that goes away is said plainly, and what came before is complete', async () => {
    const to = ['--output', 'speaker', '--output', path('cut.wav')];
    const mic = jack.start(node, [main, 'mic', '--filter', 'lowpass', '--cutoff', '4000', '--json', ...to]);
    const ended = outcome(mic);
    const { speak } = await voiceFor(mic);
    await speak();
    await jack.fall();
    const { status, stdout, stderr } = await ended;
    expect(stderr).toMatch(/the audio device stopped giving frames after [\d.]+ s; what came before/);
    expect(status).toBe(1);
    const taken = await readAudio(path('cut.wav'));
    expect(taken.info.frames).toBe((JSON.parse(stdout.toString()) as MicSummary).frames);
    expect(whole(taken.samples, offline(lowpass, samples), 2 ** -15)).not.toEqual([]);
  });
});
