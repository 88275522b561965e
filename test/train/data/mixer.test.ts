import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromDbfs, peak, rms, snr } from '../../../src/audio/index.ts';
import { biquad } from '../../../src/filters/biquad.ts';
import { denoise, drawsAt, type DenoiseOptions } from '../../../src/train/data/index.ts';
import { colouredNoise, NOISE_COLOURS } from '../../../src/train/data/mixer/coloured-noise.ts';
import { convolveTwo } from '../../../src/train/data/mixer/convolve.ts';
import { filterInPlace } from '../../../src/train/data/mixer/equalise.ts';
import { activeLevel } from '../../../src/train/data/mixer/level.ts';
import { mix, type MixerParts } from '../../../src/train/data/mixer/mixer.ts';
import { prepareRoom } from '../../../src/train/data/mixer/room.ts';
import { mixerSettings, type PartialSettings } from '../../../src/train/data/mixer/settings.ts';
import { drawShoebox, shoeboxResponse } from '../../../src/train/data/mixer/shoebox.ts';
import { collect, temporaryFolder, voice, writeWav } from './support.ts';

const RATE = 16_000;
const NONE = {
  silence: 0,
  noiseOnly: 0,
  speechOnly: 0,
  twoNoises: 0,
  measuredRooms: 0,
  simulatedRooms: 0,
  equalised: 0,
  bandLimited: 0,
  rumble: 0,
  fullScale: 0,
};
const parts: MixerParts = {
  sampleRate: RATE,
  voices: { speakers: ['a'], speak: (frames, draws) => voice(frames, 100 + draws.integer(100)) },
  noise: (frames, draws) => colouredNoise('white', frames, RATE, draws),
  rooms: [],
};
const mixed = (settings: PartialSettings, number = 0): ReturnType<typeof mix> =>
  mix(
    parts,
    mixerSettings({ ...settings, shares: { ...NONE, ...settings.shares } }),
    RATE,
    drawsAt(1, number),
  );
/** Decibels of x above the power of y. */
const above = (x: Float32Array, y: Float32Array): number => 20 * Math.log10(rms(x) / rms(y));

describe('mix', () => {
  it('mixes at the ratio that is asked for, between active levels, and at the level that is asked for', () => {
    for (const [number, db] of [-5, 0, 7, 20].entries()) {
      const { noisy, clean } = mixed({ snr: [db, db], level: [-25, -25] }, number);
      const noise = noisy.map((x, k) => x - clean[k]!);
      const ratio = 20 * Math.log10(activeLevel(clean, RATE) / activeLevel(noise, RATE));
      expect(ratio).toBeCloseTo(db, 2);
      expect(20 * Math.log10(rms(noisy))).toBeCloseTo(-25, 4);
    }
  });

  it('never clips: what would is turned down, noisy and clean alike', () => {
    const { noisy, clean } = mixed({ level: [0, 0], snr: [10, 10] });
    expect(peak(noisy)).toBeCloseTo(0.99, 5);
    const softer = mixed({ level: [-30, -30], snr: [10, 10] });
    const gain = peak(noisy) / peak(softer.noisy);
    expect(
      snr(
        softer.clean.map((x) => gain * x),
        clean,
      ),
    ).toBeGreaterThan(100);
    const loud = mixed({ shares: { fullScale: 1 } });
    expect(Math.max(peak(loud.noisy), peak(loud.clean))).toBeCloseTo(0.99, 5);
  });

  it('makes silence, noise alone and speech alone', () => {
    const alone = mixed({ shares: { noiseOnly: 1 } });
    expect(peak(alone.clean)).toBe(0);
    expect(rms(alone.noisy)).toBeGreaterThan(fromDbfs(-36));
    const speech = mixed({ shares: { speechOnly: 1 } });
    expect(speech.noisy).toEqual(speech.clean);
    const silence = mixed({ shares: { silence: 1 } });
    expect(peak(silence.clean)).toBe(0);
    expect(rms(silence.noisy)).toBeLessThan(fromDbfs(-60));
  });

  it('in a room wants the early part, the direct sound or all, aligned with one another', () => {
    const shares = { simulatedRooms: 1, speechOnly: 1 };
    const all = mixed({ target: 'reverberant', shares });
    // Both go through one transform, as its real and its imaginary part.
    expect(snr(all.clean, all.noisy)).toBeGreaterThan(120);
    const early = mixed({ target: 'early', shares });
    const dry = mixed({ target: 'dry', shares });
    expect(snr(early.noisy, all.noisy)).toBeGreaterThan(120);
    expect(snr(early.clean, early.noisy)).toBeLessThan(30);
    expect(snr(early.clean, early.noisy)).toBeGreaterThan(snr(dry.clean, early.noisy));
  });

  it('cuts the band of both where it does of one', () => {
    const { noisy, clean } = mixed({ bands: [4000], snr: [0, 0], shares: { bandLimited: 1 } });
    for (const x of [noisy, clean]) {
      // What a filter of differences leaves of it above 2.5 kHz: little.
      const high = x.map((_, k) => (k < 2 ? 0 : x[k]! - 2 * x[k - 1]! + x[k - 2]!));
      const open = mixed({ snr: [0, 0] }).noisy;
      const before = open.map((_, k) => (k < 2 ? 0 : open[k]! - 2 * open[k - 1]! + open[k - 2]!));
      expect(above(high, x) - above(before, open)).toBeLessThan(-8);
    }
  });
});

describe('settings', () => {
  it('takes out of the speech what lies below the floor, in phase, and puts rumble into the noisy one alone', () => {
    const tones = (frames: number): Float32Array =>
      Float32Array.from({ length: frames }, (_, k) => Math.sin((2 * Math.PI * 12 * k) / RATE) + Math.sin((2 * Math.PI * 300 * k) / RATE)); // prettier-ignore
    const voices = { speakers: ['a'], speak: tones };
    const settings = mixerSettings({ floor: 50, snr: [0, 0], shares: { ...NONE, speechOnly: 1 } });
    const { clean } = mix({ ...parts, voices }, settings, 2 * RATE, drawsAt(1));
    // In the middle: at the ends something rings.
    const [from, to] = [0.75 * RATE, 1.25 * RATE];
    const voice300 = Float32Array.from({ length: to - from }, (_, k) => Math.sin((2 * Math.PI * 300 * (from + k)) / RATE)); // prettier-ignore
    const middle = clean.slice(from, to);
    const gain = middle.reduce((sum, x, k) => sum + x * voice300[k]!, 0) / (voice300.length / 2);
    expect(rms(middle.map((x, k) => x / gain - voice300[k]!))).toBeLessThan(0.01);

    const quiet = mixed({ snr: [40, 40], shares: { rumble: 0 } });
    const rumbling = mixed({ snr: [40, 40], shares: { rumble: 1 } });
    const low = (x: Float32Array): Float32Array =>
      filterInPlace(x.slice(), [biquad({ type: 'lowpass', sampleRate: RATE, frequency: 50, Q: -3 })]);
    const rest = ({ noisy, clean }: typeof quiet): Float32Array => noisy.map((x, k) => x - clean[k]!);
    expect(above(low(rest(rumbling)), low(rest(quiet)))).toBeGreaterThan(15);
    expect(() => mixerSettings({ floor: -1 })).toThrow(/floor: -1; give Hz, 0 to 100/);
  });

  it('refuses by name what cannot be', () => {
    expect(() => mixerSettings({ snr: [10, 0] })).toThrow(/snr: \[10,0\]; give the lowest and the highest/);
    expect(() => mixerSettings({ shares: { silence: 2 } })).toThrow(/shares\.silence: 2/);
    expect(() => mixerSettings({ shares: { silense: 0.1 } as object })).toThrow(
      /shares\.silense: .*shares are silence/,
    );
    expect(() => mixerSettings({ shares: { noiseOnly: 0.6, speechOnly: 0.6 } })).toThrow(
      /together they are at most 1/,
    );
    expect(() => mixerSettings({ target: 'late' as 'dry' })).toThrow(/target: "late"/);
  });
});

describe('noise of a colour', () => {
  /** Mean power of a band in dB, by Goertzel sums at random frequencies in it. */
  const band = (x: Float32Array, from: number, to: number): number => {
    let sum = 0;
    for (let i = 0; i < 24; i++) {
      const omega = (2 * Math.PI * (from + ((to - from) * (i + 0.5)) / 24)) / RATE;
      let [re, im] = [0, 0];
      for (let k = 0; k < x.length; k++) {
        re += x[k]! * Math.cos(omega * k);
        im += x[k]! * Math.sin(omega * k);
      }
      sum += re * re + im * im;
    }
    return 10 * Math.log10(sum / 24);
  };

  it.each([
    ['white', 0],
    ['pink', -3],
    ['brown', -6],
  ] as const)('%s falls by %f dB an octave', (colour, slope) => {
    const x = colouredNoise(colour, 32_768, RATE, drawsAt(3));
    // Four octaves apart.
    const fall = (band(x, 2400, 3600) - band(x, 150, 225)) / 4;
    expect(fall).toBeGreaterThan(slope - 1);
    expect(fall).toBeLessThan(slope + 1);
  });

  it('is of some level, finite, and the same from the same draws', () => {
    for (const colour of NOISE_COLOURS) {
      const x = colouredNoise(colour, 4000, RATE, drawsAt(4));
      expect(x).toEqual(colouredNoise(colour, 4000, RATE, drawsAt(4)));
      expect(rms(x)).toBeGreaterThan(0.01);
      expect(x.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('rooms', () => {
  it('have the direct sound where distance and speed put it, at 1/(4πr)', () => {
    const box = {
      size: [6, 5, 3],
      source: [2, 2, 1.5],
      receiver: [2 + 343 / 160, 2, 1.5],
      reverberation: 0.3,
    } as const;
    const h = shoeboxResponse(box, RATE, drawsAt(1));
    // 343/160 m take 100 frames.
    expect(h[100]).toBeCloseTo(1 / (4 * Math.PI * (343 / 160)), 3);
    expect(peak(h.subarray(0, 88))).toBe(0);
  });

  it('decay by 60 dB in the reverberation time (Schroeder, from −5 to −35 dB)', () => {
    const box = {
      size: [7, 5, 3],
      source: [2, 3, 1.5],
      receiver: [5, 2, 1.2],
      reverberation: 0.5,
    } as const;
    const h = shoeboxResponse(box, RATE, drawsAt(2));
    const left = new Float64Array(h.length);
    for (let k = h.length - 1, sum = 0; k >= 0; k--) left[k] = sum += h[k]! ** 2;
    const time = (db: number): number => left.findIndex((x) => x < left[0]! * 10 ** (db / 10)) / RATE;
    const measured = 2 * (time(-35) - time(-5));
    expect(measured).toBeGreaterThan(0.4);
    expect(measured).toBeLessThan(0.6);
  });

  it('are drawn with everything inside them', () => {
    for (let i = 0; i < 200; i++) {
      const { size, source, receiver } = drawShoebox(drawsAt(5, i));
      for (const point of [source, receiver]) {
        point.forEach((x, axis) => {
          expect(x).toBeGreaterThanOrEqual(0.3 - 1e-12);
          expect(x).toBeLessThanOrEqual(size[axis]! - 0.3 + 1e-12);
        });
      }
    }
  });

  it('are split at the early time; the parts share the beginning', () => {
    const h = new Float32Array(4000);
    h[500] = 1;
    h[700] = 0.5;
    h[2000] = 0.25;
    const { response, early, direct } = prepareRoom(h, RATE, 0.05);
    const gain = 1 / Math.sqrt(1.25);
    expect(response[16]).toBeCloseTo(gain, 6);
    expect(response[216]).toBeCloseTo(gain / 2, 6);
    expect(response[1516]).toBeCloseTo(gain / 4, 6);
    expect([...early]).toEqual([...response.subarray(0, early.length)]);
    expect(early.length).toBeLessThan(1000);
    // 16 frames in front, 1.5 ms, and as much to fade out.
    expect(direct.length).toBe(16 + 24 + 24);
    expect(direct[16]).toBe(response[16]);
  });
});

describe('convolveTwo', () => {
  it.each([1, 7, 1024, 3000])('is the sum of products, through %i taps', (taps) => {
    const draws = drawsAt(6, taps);
    const random = (n: number): Float32Array => Float32Array.from({ length: n }, () => draws.normal());
    const [x, g, h] = [random(5000), random(taps), random(Math.ceil(taps / 2))];
    const direct = (filter: Float32Array, k: number): number => {
      let sum = 0;
      for (let i = 0; i < Math.min(filter.length, k + 1); i++) sum += filter[i]! * x[k - i]!;
      return sum;
    };
    const [a, b] = convolveTwo(x, g, h);
    for (let k = 0; k < 5000; k += 61) {
      expect(Math.abs(a[k]! - direct(g, k))).toBeLessThan(1e-5 * Math.sqrt(taps));
      expect(Math.abs(b[k]! - direct(h, k))).toBeLessThan(1e-5 * Math.sqrt(taps));
    }
  });
});

describe('denoise', () => {
  const root = temporaryFolder();
  const [speech, noise] = [join(root, 'speech'), join(root, 'noise')];
  const options: DenoiseOptions = {
    speech,
    speaker: '^([a-z]+)-',
    noise: [noise],
    frames: 4000,
    batch: 3,
    batchesPerEpoch: 4,
    seed: 9,
    cache: join(root, 'cache'),
  };
  beforeAll(async () => {
    mkdirSync(speech);
    mkdirSync(noise);
    for (const [i, name] of ['ann-1', 'ann-2', 'ann-3', 'bob-1', 'cyd-1'].entries()) {
      await writeWav(join(speech, `${name}.wav`), voice(6000 + 3000 * i, 90 + 40 * i));
    }
    await writeWav(join(noise, 'rain.wav'), colouredNoise('pink', 3000, RATE, drawsAt(7)));
  });

  it('makes batches of noisy input and clean output, the same again from seed, epoch and number', async () => {
    const source = await denoise(options);
    expect(source.targets).toEqual(['output']);
    expect(source.facts).toMatchObject({ speakers: 3, sampleRate: RATE });
    const first = await collect(source, 1);
    expect(first.map(({ items, frames, lengths }) => [items, frames, lengths])).toEqual(
      Array.from({ length: 4 }, () => [3, 4000, [4000, 4000, 4000]]),
    );
    for (const { inputs, targets } of first) {
      for (const x of [inputs['input']!, targets['output']!]) {
        expect(x.length).toBe(12_000);
        expect(x.every((value) => Math.abs(value) <= 0.991)).toBe(true);
      }
    }
    await source.close();
    const again = await denoise(options);
    expect(await collect(again, 1, 2)).toEqual(first.slice(2));
    expect(await collect(again, 2)).not.toEqual(first);
    await again.close();
    const other = await denoise({ ...options, seed: 10 });
    expect(await collect(other, 1)).not.toEqual(first);
    await other.close();
  });

  it('is the same in every epoch where it is fixed', async () => {
    const source = await denoise({ ...options, fixed: true });
    expect(await collect(source, 5)).toEqual(await collect(source, 0));
    await source.close();
  });

  it('works from babble and synthetic noise alone', async () => {
    const { noise: _, ...rest } = options;
    const source = await denoise({
      ...rest,
      weights: { recorded: 0, babble: 1, synthetic: 0 },
      shares: NONE,
    });
    for (const { inputs, targets } of await collect(source)) {
      expect(
        above(
          inputs['input']!,
          inputs['input']!.map((x, k) => x - targets['output']![k]!),
        ),
      ).toBeLessThan(25);
    }
    await source.close();
  });

  it('refuses by name what is missing', async () => {
    await expect(denoise({ ...options, speech: join(root, 'x') })).rejects.toThrow(
      /\/x: there is no such file/,
    );
    await expect(denoise({ ...options, speaker: '^(\\d+)$' })).rejects.toThrow(
      /ann-1\.wav: the name has no speaker/,
    );
    await expect(denoise({ ...options, frames: 0.5 })).rejects.toThrow(/frames: 0\.5/);
    await expect(denoise({ ...options, rooms: noise, snr: [3, 1] })).rejects.toThrow(/snr/);
  });
});
