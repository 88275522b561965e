import { WaveFile } from './wavefile.ts';
import { describe, expect, test } from 'vitest';
import { decodeWav } from '../../src/audio/index.ts';
import { FormatError } from '../../src/errors.ts';
import { buildWav, chunk, streamOf } from './build-wav.ts';
import { collect } from './collect.ts';

describe.each([
  ['mulaw', 7, 'fromMuLaw'],
  ['alaw', 6, 'fromALaw'],
] as const)('G.711 %s', (coding, tag, method) => {
  const codes = Uint8Array.from({ length: 256 }, (_, i) => i);

  test('all 256 codes are what wavefile decodes them to', async () => {
    const bytes = buildWav(codes, { tag, bits: 8 });
    const { info, samples } = await collect(streamOf(bytes, [50]).stream, 100);
    expect(info).toMatchObject({ coding, frames: 256 });
    const oracle = new WaveFile(bytes);
    oracle[method]();
    const expected = Array.from(oracle.getSamples(false) as unknown as ArrayLike<number>, (v) => v / 32_768);
    expect([...samples]).toEqual(expected);
    expect([...decodeWav(bytes).samples]).toEqual(expected);
  });
});

describe('IMA ADPCM', () => {
  // Two stereo blocks of random codes, and what CPython 3.11's audioop.adpcm2lin makes of each channel of each
  // block from the state in its header (its codes come high half first: swapped before). Both ends of the range
  // and of the step table are reached.
  const blocks = Buffer.from(
    'cd251300264a5300182530bb31201e691d6d132cfedaa0eeded6237be8b9997f2ed91e3f5c7c2999721fcb19fdafe593' +
      '71174494253cd654d6493c9daf4dfad75c3460be1427a0ae4a334c004c7e4a00e9232f8adc8ed4b7f2211f9ec2764d2a' +
      'e491c5b15a4d76770becb55606f85d863bfc1e6f90024ad693427ecbbda3401bc8fe2955e9c8cbcce5cd8e46c935f6cd',
    'hex',
  );
  const expected = [
    9677, 18982, 9672, 26612, 9687, 32767, 9737, 32767, 9770, 32767, 9776, 10182, 9814, 19414, 9779, 11020,
    9748, 32767, 9702, -20478, 9720, -32768, 9659, -32768, 9766, -32768, 9868, -28673, 9907, -32768, 9798,
    -32768, 9871, -32768, 9698, -32768, 9438, -32768, 9890, -32768, 9212, -32768, 9845, -32768, 10256, -32768,
    9734, -32768, 10754, 28668, 8860, -8194, 10151, 32767, 9448, -4095, 7102, 32767, 3042, 20481, 4702, 32767,
    -2846, 22611, 4704, 13379, 9606, -17400, 22978, -32768, -5688, -32768, 6598, -32768, -19471, 8198, -32768,
    -32768, -32768, -4099, -21596, -15271, -11440, 21971, 32767, 32767, 32767, -751, 32767, 27918, 32767,
    32767, 32767, -12286, 32767, 24576, 20481, 32767, 32767, -28669, -12286, -32768, -24572, -32768, 8946,
    4094, -27916, -16384, 753, -32768, -32768, 28668, -32768, -16385, -32768, 20477, 12285, 32763, 32767,
    32767, 32767, 32767, 32767, 32767, 32767, 15839, -20478, -24172, -32768, -32768, 13130, 32332, 9215,
    22624, -6210, 8267, 8505, -16577, 18060, -19962, -7999, 7738, 10622, -32768, -6306, 28668, -9383, -1,
    4607, 18620, -32768, -11851, -20482, 32767, -1861, 32767, -32768, -12286, -20482, 24576, -32768, 4098,
    -32768, 22719, 750, 5791, -32768, 32767, -20482, -12286, -31654, 24576, 5588, 32767, -31274, 32767,
    -18988, 32767, -32768, 32767, -32768, 32767, -29691, 32767, -32768, 29043, -32768, -21742, 12285, -32768,
    -16384, 12285, 32031, 32767, 32767, 28672, 4098, 32396, 30167, 22240, -304, 32767, -32768, 32767, -32768,
    20049, -20482, 32767, -32768, 32767, 20477, -12286, 32767, -32768, 21595, -32768, 32767, -6699, 32767,
    -23627, -15648, -20550, 32767, 4633, 4098, -19066, -29420, -9834, -32768, -18228, -32768, -32768, -32768,
    -32768, -32768, -32768, -32768, -32768, -14147, -32768, 23095, -32768, 32767, -32768, 32767, -32768,
    -20478, -32768, -32768, 12285, -32768, 32767, -32768, 32767, -32768, -28669, 15647, -32768, 32767, -32768,
  ].map((v) => v / 32_768);
  const layout = { tag: 0x11, channels: 2, bits: 4, container: 36, fmtExtra: [2, 0, 65, 0] };
  const bytes = buildWav(blocks, layout);

  test('gives the samples of the reference decoder, whatever the size of the blocks asked for', async () => {
    for (const framesPerBlock of [1, 7, 64, 65, 66, 1000]) {
      const { info, samples } = await collect(streamOf(bytes, [17]).stream, framesPerBlock);
      expect([...samples]).toEqual(expected);
      expect(info).toMatchObject({ coding: 'ima-adpcm', frames: 130, framesPerBlock: 65, warnings: [] });
    }
    expect([...decodeWav(bytes).samples]).toEqual(expected);
  });

  test('"fact" says where the last block ends', async () => {
    const withFact = buildWav(blocks, { ...layout, before: [chunk('fact', Uint8Array.of(100, 0, 0, 0))] });
    const { info, samples } = await collect(withFact, 30);
    expect([...samples]).toEqual(expected.slice(0, 200));
    expect(info.frames).toBe(100);
    expect([...decodeWav(withFact).samples]).toEqual(expected.slice(0, 200));
  });

  test('a file that is cut off keeps every whole word', async () => {
    for (let cut = 1; cut <= 144; cut++) {
      const short = bytes.subarray(0, bytes.length - cut);
      const left = 144 - cut;
      const inBlock = (n: number): number => (n < 8 ? 0 : (Math.floor(n / 8) - 1) * 8 + 1);
      const frames = inBlock(Math.min(72, left)) + inBlock(Math.max(0, left - 72));
      const whole = decodeWav(short);
      expect([...whole.samples]).toEqual(expected.slice(0, 2 * frames));
      const streamed = await collect(streamOf(short, [11]).stream, 13);
      expect([...streamed.samples]).toEqual(expected.slice(0, 2 * frames));
      expect(streamed.info).toMatchObject({ frames, truncated: true });
    }
  });

  test('an index beyond the table is held to it, a block that holds no sample is refused', () => {
    const wild = blocks.slice();
    wild[2] = 255;
    const held = blocks.slice();
    held[2] = 88;
    expect(decodeWav(buildWav(wild, layout)).samples).toEqual(decodeWav(buildWav(held, layout)).samples);
    for (const blockAlign of [0, 4, 7, 68]) {
      expect(() => decodeWav(buildWav(blocks, { ...layout, blockAlign }))).toThrow(FormatError);
    }
  });
});
