/**
 * Makes fixtures/speech/clean.wav and noisy.wav from three consecutive clips of real read speech (Debian's
 * package `pocketsphinx-testdata`): the clips joined, and the same with mains hum, rumble and hiss. The same
 * input gives the same bytes.
 *
 *     node scripts/make-speech-fixture.ts /usr/share/pocketsphinx/test/data/librivox [output folder]
 *
 * What is added is what a linear filter can take away again: all of it lies where speech has little.
 *
 * | symbol | meaning                                                       | shape   |
 * | ------ | ------------------------------------------------------------- | ------- |
 * | speech | the recording, full scale ±1                                  | samples |
 * | hum    | 50 Hz and its odd harmonics 150 and 250 Hz, steady            | samples |
 * | rumble | noise around 6 Hz, as of traffic felt through a microphone stand | samples |
 * | hiss   | white noise above 6.2 kHz, 48 dB per octave                   | samples |
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import FFT from 'fft.js';

const SAMPLE_RATE = 16_000;
const CLIPS = ['0870', '0880', '0890'].map((id) => `sense_and_sensibility_01_austen_64kb-${id}.wav`);

/** Power of each noise relative to the speech, dB. */
const LEVELS = { hum: -0.3, rumble: -15, hiss: -14.5 };
/** Frequency (Hz), relative amplitude and phase (radians) of the mains and its harmonics. */
const MAINS = [
  [50, 1, 0],
  [150, 0.4, 2],
  [250, 0.25, 0.5],
] as const;

/** Samples (±1) of a WAV file of 16-bit mono PCM at 16 kHz; anything else is refused. */
function readClip(path: string): Float64Array {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 4) !== 'RIFF') throw new Error(`${path} is no WAV file`);
  let samples: Float64Array | undefined;
  for (let at = 12; at + 8 <= file.length;) {
    const id = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    const body = at + 8;
    if (id === 'fmt ') {
      const format = [file.readUInt16LE(body), file.readUInt16LE(body + 2), file.readUInt32LE(body + 4)];
      const bits = file.readUInt16LE(body + 14);
      if (format.join() !== [1, 1, SAMPLE_RATE].join() || bits !== 16) {
        throw new Error(`${path} is no 16-bit mono PCM at ${SAMPLE_RATE} Hz`);
      }
    } else if (id === 'data') {
      samples = Float64Array.from({ length: length / 2 }, (_, i) => file.readInt16LE(body + 2 * i) / 32768);
    }
    at = body + length + (length % 2);
  }
  if (!samples) throw new Error(`${path} has no data chunk`);
  return samples;
}

function writeClip(path: string, samples: Float64Array): void {
  const file = Buffer.alloc(44 + 2 * samples.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // linear PCM
  file.writeUInt16LE(1, 22); // one channel
  file.writeUInt32LE(SAMPLE_RATE, 24);
  file.writeUInt32LE(2 * SAMPLE_RATE, 28); // bytes a second
  file.writeUInt16LE(2, 32); // bytes a frame
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((x, i) => {
    const value = Math.round(x * 32768);
    if (value < -32768 || value > 32767) throw new Error(`sample ${i} is ${x}: it clips; lower LEVELS`);
    file.writeInt16LE(value, 44 + 2 * i);
  });
  writeFileSync(path, file);
}

/** White noise, uniform in [-1, 1): xorshift32 (Marsaglia 2003), integer arithmetic alone. */
function whiteNoise(length: number, seed: number): Float64Array {
  let x = seed;
  return Float64Array.from({ length }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x / 2 ** 31;
  });
}

/** One second-order section of the Audio EQ Cookbook (Bristow-Johnson), in place. */
function biquad(signal: Float64Array, kind: 'highpass' | 'bandpass', frequency: number, q: number): void {
  const w = (2 * Math.PI * frequency) / SAMPLE_RATE;
  const alpha = Math.sin(w) / (2 * q);
  const edge = (1 + Math.cos(w)) / 2;
  const b = kind === 'highpass' ? [edge, -2 * edge, edge] : [alpha, 0, -alpha];
  const a0 = 1 + alpha;
  const a1 = -2 * Math.cos(w);
  const a2 = 1 - alpha;
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < signal.length; i++) {
    const x = signal[i];
    const y = (b[0] * x + b[1] * x1 + b[2] * x2 - a1 * y1 - a2 * y2) / a0;
    [x1, x2, y1, y2] = [x, x1, y, y1];
    signal[i] = y;
  }
}

const power = (signal: Float64Array) => signal.reduce((sum, x) => sum + x * x, 0) / signal.length;

/** `signal` scaled so that its power is `level` dB above the one of `reference`. */
function scaled(signal: Float64Array, level: number, reference: Float64Array): Float64Array {
  const gain = Math.sqrt((power(reference) * 10 ** (level / 10)) / power(signal));
  return signal.map((x) => x * gain);
}

function makeNoise(speech: Float64Array): Record<keyof typeof LEVELS, Float64Array> {
  const n = speech.length;
  const hum = Float64Array.from({ length: n }, (_, i) =>
    MAINS.reduce((sum, [f, a, p]) => sum + a * Math.sin((2 * Math.PI * f * i) / SAMPLE_RATE + p), 0),
  );
  const rumble = whiteNoise(n, 1811);
  for (let i = 0; i < 2; i++) biquad(rumble, 'bandpass', 6, 0.8);
  const hiss = whiteNoise(n, 1775);
  // The four sections of an 8th-order Butterworth filter.
  for (const k of [1, 3, 5, 7]) biquad(hiss, 'highpass', 6200, 1 / (2 * Math.cos((k * Math.PI) / 16)));
  return {
    hum: scaled(hum, LEVELS.hum, speech),
    rumble: scaled(rumble, LEVELS.rumble, speech),
    hiss: scaled(hiss, LEVELS.hiss, speech),
  };
}

/** Power of `signal` between each two neighbours of `edges` (Hz), from one transform of it all. */
function bandPowers(signal: Float64Array, edges: readonly number[]): number[] {
  const size = 2 ** Math.ceil(Math.log2(signal.length));
  const fft = new FFT(size);
  const spectrum = fft.createComplexArray();
  const padded = new Float64Array(size);
  padded.set(signal);
  fft.realTransform(spectrum, padded as unknown as number[]);
  const powers = new Array<number>(edges.length - 1).fill(0);
  for (let k = 0; k <= size / 2; k++) {
    const band = edges.findLastIndex((edge) => (k * SAMPLE_RATE) / size >= edge);
    if (band < powers.length) powers[band] += spectrum[2 * k] ** 2 + spectrum[2 * k + 1] ** 2;
  }
  return powers;
}

/** Scale-invariant signal-to-distortion ratio, dB (Le Roux et al. 2019, eq. 3). */
function siSdr(estimate: Float64Array, target: Float64Array): number {
  const dot = target.reduce((sum, s, i) => sum + s * estimate[i], 0);
  const scale = dot / (power(target) * target.length);
  const residue = target.map((s, i) => estimate[i] - scale * s);
  return 10 * Math.log10((scale * scale * power(target)) / power(residue));
}

const [folder, out = fileURLToPath(new URL('../fixtures/speech', import.meta.url))] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: make-speech-fixture.ts <folder with the librivox clips> [output folder]');
  process.exit(2);
}
const clips = CLIPS.map((name) => readClip(join(folder, name)));
const speech = new Float64Array(clips.reduce((sum, clip) => sum + clip.length, 0));
clips.reduce((at, clip) => {
  speech.set(clip, at);
  return at + clip.length;
}, 0);
const { hum, rumble, hiss } = makeNoise(speech);
const noise = hum.map((x, i) => x + rumble[i] + hiss[i]);
const noisy = speech.map((x, i) => x + noise[i]);
writeClip(join(out, 'clean.wav'), speech);
writeClip(join(out, 'noisy.wav'), noisy);

console.log(
  `${(speech.length / SAMPLE_RATE).toFixed(2)} s; SI-SDR of the noisy file ${siSdr(noisy, speech).toFixed(2)} dB`,
);
const edges = [0, 30, 60, 140, 160, 240, 260, 5500, 8001];
const [s, v] = [bandPowers(speech, edges), bandPowers(noise, edges)];
s.forEach((power, i) => {
  const band = `${edges[i]} to ${Math.min(8000, edges[i + 1])} Hz`.padEnd(16);
  console.log(`${band} speech over noise ${(10 * Math.log10(power / v[i])).toFixed(1)} dB`);
});
