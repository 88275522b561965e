import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../../src/errors.ts';
import { random } from '../../../src/init/index.ts';
import type { Loss } from '../../../src/train/loss.ts';
import {
  compressedSpectrum,
  crossEntropy,
  ctc,
  esr,
  l1,
  mse,
  multiResolutionStft,
  siSdr,
  weighted,
} from '../../../src/train/losses/index.ts';

interface Case {
  readonly name: string;
  readonly loss: Loss;
  readonly frames: number;
  readonly channels: number;
  readonly labels?: readonly number[];
}

const small = [
  { size: 16, hop: 5, windowLength: 12 },
  { size: 10, hop: 4 },
];
const cases: readonly Case[] = [
  { name: 'mse', loss: mse(), frames: 7, channels: 3 },
  { name: 'l1', loss: l1(), frames: 7, channels: 3 },
  { name: 'esr', loss: esr(), frames: 9, channels: 2 },
  { name: 'esr with pre-emphasis', loss: esr({ preEmphasis: 0.95 }), frames: 9, channels: 2 },
  { name: 'si-sdr', loss: siSdr(), frames: 12, channels: 2 },
  {
    name: 'multi-resolution-stft',
    loss: multiResolutionStft({ resolutions: small }),
    frames: 37,
    channels: 2,
  },
  {
    name: 'multi-resolution-stft, shorter than a window',
    loss: multiResolutionStft({ resolutions: small }),
    frames: 4,
    channels: 1,
  },
  {
    name: 'compressed-spectrum',
    loss: compressedSpectrum({ size: 16, hop: 4 }),
    frames: 33,
    channels: 2,
  },
  { name: 'cross-entropy, last', loss: crossEntropy(), frames: 5, channels: 4, labels: [2] },
  { name: 'cross-entropy, mean', loss: crossEntropy({ at: 'mean' }), frames: 5, channels: 4, labels: [0] },
  {
    name: 'cross-entropy, frames, smoothed',
    loss: crossEntropy({ at: 'frame', smoothing: 0.1 }),
    frames: 5,
    channels: 4,
    labels: [0, 3, -1, 1, 1],
  },
  { name: 'ctc', loss: ctc(), frames: 8, channels: 4, labels: [1, 1, 3, -1, -1] },
  { name: 'ctc of nothing', loss: ctc(), frames: 3, channels: 3, labels: [] },
  {
    name: 'weighted',
    loss: weighted([
      { weight: 0.7, loss: mse() },
      { weight: -2, loss: l1() },
    ]),
    frames: 7,
    channels: 3,
  },
];

const drawn = (length: number, seed: number): Float64Array => {
  const source = random(seed);
  return Float64Array.from({ length }, () => source.normal());
};

/** Value, and gradient where asked for, of a case whose arrays may hold more than counts. */
function run({ loss, frames, channels, labels }: Case, data: Float64Array, wanted: Float64Array) {
  const gradient = new Float64Array(data.length);
  const value = loss.evaluate({
    outputs: { output: { frames, channels, data, gradient } },
    targets: { output: wanted, labels: Float32Array.from(labels ?? []) },
  });
  return { value, gradient };
}

describe.each(cases)('$name', (test) => {
  const count = test.frames * test.channels;
  const data = drawn(count, 1);
  const wanted = drawn(count, 2);

  it('has the gradient that finite differences say', () => {
    const { gradient, value } = run(test, data, wanted);
    expect(value).toBeTypeOf('number');
    const peak = Math.max(...gradient.map(Math.abs));
    expect(peak).toBeGreaterThan(0);
    const step = 1e-6;
    for (let i = 0; i < count; i++) {
      const moved = (by: number): number =>
        run(
          test,
          data.map((x, j) => (i === j ? x + by : x)),
          wanted,
        ).value;
      const slope = (moved(step) - moved(-step)) / (2 * step);
      expect(Math.abs(slope - gradient[i]!) / peak).toBeLessThan(1e-6);
    }
  });

  it('sees nothing behind the frames that count, and adds to what the gradient holds', () => {
    const padded = (from: Float64Array, seed: number): Float64Array =>
      Float64Array.of(...from, ...drawn(5 * test.channels, seed));
    const bare = run(test, data, wanted);
    const behind = run(test, padded(data, 3), padded(wanted, 4));
    expect(behind.value).toBe(bare.value);
    expect(behind.gradient.subarray(0, count)).toEqual(bare.gradient);
    expect(behind.gradient.subarray(count).every((slope) => slope === 0)).toBe(true);

    const gradient = new Float64Array(count).fill(1);
    const valueAlone = test.loss.evaluate({
      outputs: { output: { frames: test.frames, channels: test.channels, data } },
      targets: { output: wanted, labels: Float32Array.from(test.labels ?? []) },
    });
    test.loss.evaluate({
      outputs: { output: { frames: test.frames, channels: test.channels, data, gradient } },
      targets: { output: wanted, labels: Float32Array.from(test.labels ?? []) },
    });
    expect(valueAlone).toBe(bare.value);
    gradient.forEach((slope, i) => expect(slope - 1).toBeCloseTo(bare.gradient[i]!, 12));
  });
});

describe('values by definition', () => {
  const signal = (data: readonly number[], wanted: readonly number[], loss: Loss, channels = 1): number =>
    loss.evaluate({
      outputs: { output: { frames: data.length / channels, channels, data: Float64Array.from(data) } },
      targets: { output: Float64Array.from(wanted), labels: Float64Array.from(wanted) },
    });

  it('mse, l1, esr', () => {
    expect(signal([1, 2, 3], [1, 0, 6], mse())).toBeCloseTo(13 / 3, 12);
    expect(signal([1, 2, 3], [1, 0, 6], l1())).toBeCloseTo(5 / 3, 12);
    expect(signal([1, 2, 3], [1, 0, 6], esr())).toBeCloseTo(13 / 37, 9);
    // Filtered by 1 − ½ z⁻¹: errors 0, 2, −4; targets 1, −½, 6.
    expect(signal([1, 2, 3], [1, 0, 6], esr({ preEmphasis: 0.5 }))).toBeCloseTo(20 / 37.25, 9);
    expect(signal([0, 0, 0], [1, 0, 6], esr())).toBeCloseTo(1, 9);
  });

  it('si-sdr: noise at right angles, 20 dB below, whatever the scale', () => {
    const t = [1, -1, 1, -1];
    const noise = [0.1, 0.1, -0.1, -0.1];
    for (const scale of [1, 3]) {
      const y = t.map((x, i) => scale * (x + noise[i]!));
      expect(signal(y, t, siSdr())).toBeCloseTo(-20, 5);
    }
  });

  it('spectra: distances by a DFT written out', () => {
    const [y, t] = [drawn(11, 5), drawn(11, 6)];
    const [size, hop, length] = [8, 3, 6];
    const spectrum = (x: Float64Array, j: number, k: number): [number, number] => {
      let [re, im] = [0, 0];
      for (let n = 0; n < length; n++) {
        const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length);
        // The window stands in the middle of the 8 samples, and those are centred on sample 3j.
        const at = n + 1;
        const value = window * (x[j * hop - size / 2 + at] ?? 0);
        re += value * Math.cos((2 * Math.PI * k * at) / size);
        im -= value * Math.sin((2 * Math.PI * k * at) / size);
      }
      return [re, im];
    };
    let [apart, power, logs, compressed] = [0, 0, 0, 0];
    for (let j = 0; j <= 3; j++) {
      for (let k = 0; k <= 4; k++) {
        const [Y, T] = [spectrum(y, j, k), spectrum(t, j, k)];
        const floor = 1e-7;
        const [my, mt] = [Y, T].map(([re, im]) => Math.sqrt(Math.max(re * re + im * im, floor))) as [
          number,
          number,
        ];
        apart += (my - mt) ** 2;
        power += mt ** 2;
        logs += Math.abs(Math.log(my) - Math.log(mt)) / 20;
        const polar = ([re, im]: [number, number]) => [Math.hypot(re, im, 1e-4), Math.atan2(im, re)] as const;
        const [[ry, py], [rt, pt]] = [polar(Y), polar(T)];
        const [cy, ct] = [ry ** 0.3, rt ** 0.3];
        // The floor shortens what has a direction by |Y| / √(|Y|² + ε).
        const [dy, dt] = [(cy * Math.hypot(...Y)) / ry, (ct * Math.hypot(...T)) / rt];
        const complex =
          (dy * Math.cos(py) - dt * Math.cos(pt)) ** 2 + (dy * Math.sin(py) - dt * Math.sin(pt)) ** 2;
        compressed += (0.3 * complex + 0.7 * (cy - ct) ** 2) / 20;
      }
    }
    const resolution = { size, hop, windowLength: length };
    const args = [[...y], [...t]] as const;
    expect(signal(...args, multiResolutionStft({ resolutions: [resolution] }))).toBeCloseTo(
      Math.sqrt(apart / power) + logs,
      10,
    );
    expect(signal(...args, compressedSpectrum(resolution))).toBeCloseTo(compressed, 10);
  });

  it('cross-entropy', () => {
    const logits = [Math.log(1), Math.log(2), Math.log(5)];
    expect(signal(logits, [2], crossEntropy(), 3)).toBeCloseTo(-Math.log(5 / 8), 12);
    expect(signal([...logits, 0, 0, 0], [2, 1], crossEntropy({ at: 'frame' }), 3)).toBeCloseTo(
      (Math.log(8 / 5) + Math.log(3)) / 2,
      12,
    );
    // Large numbers neither overflow nor vanish.
    expect(signal([1000, 0], [1], crossEntropy(), 2)).toBeCloseTo(1000, 9);
  });

  it('ctc: the sum over all paths, one by one', () => {
    const [frames, channels, labels] = [5, 3, [1, 2, 2]];
    const data = drawn(frames * channels, 9);
    let probability = 0;
    for (let code = 0; code < channels ** frames; code++) {
      const path = Array.from({ length: frames }, (_, t) => Math.floor(code / channels ** t) % channels);
      const read = path.filter((c, t) => c !== path[t - 1] && c !== 0);
      // A blank between makes two of one label.
      if (read.join() !== labels.join()) continue;
      let p = 1;
      path.forEach((c, t) => {
        const row = [...data.subarray(t * channels, (t + 1) * channels)].map(Math.exp);
        p *= row[c]! / row.reduce((a, b) => a + b);
      });
      probability += p;
    }
    expect(signal([...data], labels, ctc(), channels)).toBeCloseTo(-Math.log(probability) / 3, 10);
  });
});

describe('what is wrong is named', () => {
  const outputs = { y: { frames: 2, channels: 2, data: new Float64Array(4) } };
  it.each<[string, () => unknown, RegExp]>([
    [
      'a port',
      () => mse().evaluate({ outputs, targets: {} }),
      /loss mse reads the output "output"; the model has y: set/,
    ],
    [
      'a target',
      () => mse({ output: 'y' }).evaluate({ outputs, targets: {} }),
      /compares 4 numbers with the target "y", which is not among none/,
    ],
    [
      'a short target',
      () => mse({ output: 'y' }).evaluate({ outputs, targets: { y: new Float32Array(3) } }),
      /which has 3; let the data/,
    ],
    [
      'a label',
      () => crossEntropy({ output: 'y' }).evaluate({ outputs, targets: { labels: Float32Array.of(2) } }),
      /label 2 in "labels"; the model tells 2 classes apart/,
    ],
    [
      'a blank',
      () => ctc({ output: 'y' }).evaluate({ outputs, targets: { labels: Float32Array.of(0) } }),
      /the blank, 0, as a label/,
    ],
    [
      'too many labels',
      () => ctc({ output: 'y' }).evaluate({ outputs, targets: { labels: Float32Array.of(1, 1) } }),
      /2 labels \(1 of them repeated\) for 2 frames/,
    ],
    ['a pre-emphasis', () => esr({ preEmphasis: 2 }), /preEmphasis is 2/],
    ['a hop', () => compressedSpectrum({ hop: 0 }), /hop is 0/],
    [
      'a window',
      () => multiResolutionStft({ resolutions: [{ size: 8, hop: 4, windowLength: 9 }] }),
      /windowLength is 9/,
    ],
    ['no loss', () => weighted([]), /give one at least/],
  ])('%s', (_name, act, message) => {
    expect(act).toThrow(ArgumentError);
    expect(act).toThrow(message);
  });
});
