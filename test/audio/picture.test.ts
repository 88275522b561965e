import { execFileSync } from 'node:child_process';
import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import { createSpectrogram, renderSpectrograms } from '../../src/audio/index.ts';
import { colourMap } from '../../src/audio/colour-map.ts';
import { decimals, ticks, timeLabel, timeTicks } from '../../src/audio/ticks.ts';
import { drawGlyph } from '../../src/audio/font.ts';
import { ArgumentError } from '../../src/errors.ts';

const rate = 16_000;
const tone = (hertz: number, seconds: number): Float32Array =>
  Float32Array.from({ length: seconds * rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));

/** The dots whose colour is nearest to white-yellow: what is loudest. */
function brightest(
  png: PNG,
  left: number,
  right: number,
  top: number,
  bottom: number,
): { x: number; y: number }[] {
  const found: { x: number; y: number }[] = [];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = 4 * (y * png.width + x);
      const [r, g, b] = png.data.subarray(at, at + 3);
      if (r! > 200 && g! > 150 && r! >= b! + 20) found.push({ x, y });
    }
  }
  return found;
}
/** The frame of each plot: runs of dark rows between the margins. */
function plots(png: PNG): { left: number; right: number; top: number; bottom: number }[] {
  const dark = (x: number, y: number): boolean => {
    const at = 4 * (y * png.width + x);
    return png.data[at]! < 60 && png.data[at + 1]! < 60 && png.data[at + 2]! < 80;
  };
  const left = Array.from({ length: png.width }, (_, x) => x).find((x) => {
    // The one column that is dark without a gap for longer than any letter.
    let run = 0;
    let longest = 0;
    for (let y = 0; y < png.height; y++) longest = Math.max(longest, (run = dark(x, y) ? run + 1 : 0));
    return longest > 60;
  })!;
  const rows = Array.from({ length: png.height }, (_, y) => y).filter((y) => dark(left, y));
  const result: { left: number; right: number; top: number; bottom: number }[] = [];
  for (let i = 0; i < rows.length;) {
    let j = i;
    while (j + 1 < rows.length && rows[j + 1] === rows[j]! + 1) j++;
    if (j - i > 30) {
      const y = rows[i]!;
      let right = left;
      while (right + 1 < png.width && dark(right + 1, y)) right++;
      result.push({ left: left + 1, right, top: y + 1, bottom: rows[j]! });
    }
    i = j + 1;
  }
  return result;
}

describe('renderSpectrograms', () => {
  test('a tone is a bright line at its frequency and times, in every panel', () => {
    const second = new Float32Array(2 * rate);
    second.set(tone(6000, 1), rate);
    const bytes = renderSpectrograms(
      [
        { title: 'first', samples: tone(2000, 2), sampleRate: rate },
        { title: 'second', samples: second, sampleRate: rate },
      ],
      { width: 900, height: 200, floorDb: -60 },
    );
    const png = PNG.sync.read(bytes);
    expect(png.width).toBe(900);
    const [a, b] = plots(png);
    expect([a!.bottom - a!.top, b!.bottom - b!.top]).toEqual([200, 200]);
    const first = brightest(png, a!.left, a!.right, a!.top, a!.bottom);
    const width = a!.right - a!.left;
    expect(first.length).toBeGreaterThan(width);
    // 2 of 8 kHz is three quarters down.
    expect(first.every(({ y }) => Math.abs(y - a!.top - 150) <= 3)).toBe(true);
    const later = brightest(png, b!.left, b!.right, b!.top, b!.bottom).filter(
      ({ x }) => x - b!.left > 0.52 * width,
    );
    expect(later.length).toBeGreaterThan(width / 3);
    expect(later.every(({ y }) => Math.abs(y - b!.top - 50) <= 3)).toBe(true);
    expect(brightest(png, b!.left, b!.left + Math.floor(0.48 * width), b!.top, b!.bottom)).toEqual([]);
  });

  test('the same samples, streamed or at once, give the same picture where columns are the same', () => {
    const samples = tone(1000, 4);
    const builder = createSpectrogram({ sampleRate: rate, hop: 100 });
    for (let at = 0; at < samples.length; at += 777) builder.push(samples.subarray(at, at + 777));
    const options = { width: 800, height: 100, floorDb: -90, ceilingDb: 0 };
    const streamed = renderSpectrograms([{ title: 't', spectrogram: builder.end() }], options);
    const png = PNG.sync.read(streamed);
    const box = plots(png)[0]!;
    const hop = Math.floor(samples.length / (box.right - box.left));
    const same = createSpectrogram({ sampleRate: rate, hop: Math.min(128, hop) });
    same.push(samples);
    expect(renderSpectrograms([{ title: 't', spectrogram: same.end() }], options)).toEqual(
      renderSpectrograms([{ title: 't', samples, sampleRate: rate }], options),
    );
  });

  test('a shorter panel ends early, in grey; lower rates end lower', () => {
    const bytes = renderSpectrograms(
      [
        { title: 'long', samples: tone(1000, 2), sampleRate: rate },
        { title: 'short', samples: tone(1000, 1), sampleRate: rate },
      ],
      { width: 400, height: 80 },
    );
    const png = PNG.sync.read(bytes);
    const box = plots(png)[1] ?? plots(png)[0]!;
    const grey = (x: number, y: number): boolean => png.data[4 * (y * png.width + x)] === 0xee;
    const middle = Math.floor((box.left + box.right) / 2);
    expect(grey(middle + 5, box.top + 40)).toBe(true);
    expect(grey(middle - 5, box.top + 40)).toBe(false);
  });

  test('silence, one sample, nothing at all, and titles that are too long or strange', () => {
    for (const samples of [new Float32Array(rate), Float32Array.of(1), new Float32Array(0)]) {
      const bytes = renderSpectrograms([{ title: 'äöü 漢 '.repeat(80), samples, sampleRate: rate }], {
        width: 320,
      });
      expect(PNG.sync.read(bytes).width).toBe(320);
    }
  });

  test('mistakes are named', () => {
    const panel = { title: '', samples: tone(100, 0.1), sampleRate: rate };
    expect(() => renderSpectrograms([])).toThrow(ArgumentError);
    expect(() => renderSpectrograms([panel], { width: 10 })).toThrow('width: 10');
    expect(() => renderSpectrograms([panel], { height: 1e9 })).toThrow('height: 1000000000');
    expect(() => renderSpectrograms([panel], { floorDb: 20, ceilingDb: 0 })).toThrow('floorDb: 20');
  });
});

describe('the colour map', () => {
  /** CIE L*a*b* of an sRGB colour (IEC 61966-2-1, CIE 15): a space that the map was not made in. */
  function lab(r: number, g: number, b: number): [number, number, number] {
    const [lr, lg, lb] = [r, g, b].map((v) => {
      const c = v / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
    const x = f((0.4124 * lr + 0.3576 * lg + 0.1805 * lb) / 0.9505);
    const y = f(0.2126 * lr + 0.7152 * lg + 0.0722 * lb);
    const z = f((0.0193 * lr + 0.1192 * lg + 0.9505 * lb) / 1.089);
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  }
  const map = colourMap();
  const entries = Array.from({ length: 256 }, (_, i) => lab(map[3 * i]!, map[3 * i + 1]!, map[3 * i + 2]!));

  test('only gets lighter, from nearly black to nearly white', () => {
    expect(entries[0]![0]).toBeLessThan(5);
    expect(entries[255]![0]).toBeGreaterThan(93);
    for (let i = 8; i < 256; i++) expect(entries[i]![0]).toBeGreaterThan(entries[i - 8]![0]);
  });

  test('steps look equally large in CIELAB too: sixteenths of the map differ by no more than a factor of 2.5', () => {
    const steps = Array.from({ length: 16 }, (_, i) => {
      const [p, q] = [entries[i * 16]!, entries[Math.min(255, i * 16 + 16)]!];
      return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    });
    expect(Math.max(...steps) / Math.min(...steps)).toBeLessThan(2.5);
  });
});

describe('axes', () => {
  test('round steps, no more of them than asked for, ends included', () => {
    expect(ticks(0, 8, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(ticks(0, 8, 5)).toEqual([0, 2, 4, 6, 8]);
    expect(ticks(-90, -10, 8)).toEqual([-90, -80, -70, -60, -50, -40, -30, -20, -10]);
    expect(ticks(0, 0.3, 3).map((t) => decimals(t, 0.1))).toEqual(['0.0', '0.1', '0.2', '0.3']);
    expect(ticks(1, 1, 5)).toEqual([]);
    expect(timeTicks(7200, 9)).toEqual([0, 900, 1800, 2700, 3600, 4500, 5400, 6300, 7200]);
    expect(timeTicks(90_000, 5)).toEqual([0, 18_000, 36_000, 54_000, 72_000, 90_000]);
    expect(timeTicks(0, 5)).toEqual([]);
  });

  test('seconds, then clocks', () => {
    expect(timeLabel(1.5, 0.5, 10)).toBe('1.5');
    expect(timeLabel(7, 1, 10)).toBe('7');
    expect(timeLabel(125, 5, 200)).toBe('2:05');
    expect(timeLabel(3725, 5, 4000)).toBe('1:02:05');
  });
});

test('every printable character has dots of its own, and what is unknown is a question mark', () => {
  const drawn = (c: string): string => {
    const dots: string[] = [];
    drawGlyph(c, (x, y) => {
      expect(x >= 0 && x < 5 && y >= 0 && y < 9).toBe(true);
      dots.push(`${x},${y}`);
    });
    return dots.join(' ');
  };
  const all = Array.from({ length: 95 }, (_, i) => drawn(String.fromCharCode(32 + i)));
  expect(new Set(all).size).toBe(95);
  expect(all[0]).toBe('');
  expect(drawn('漢')).toBe(drawn('?'));
  expect(drawn('−')).toBe(drawn('-'));
});

test('whoever only streams WAV files loads no picture, no transform, no codec', () => {
  const module = new URL('../../src/audio/index.ts', import.meta.url).href;
  const program = `
    import { createRequire } from 'node:module';
    import { decodeWav, createSpectrogram } from '${module}';
    const loaded = () => Object.keys(createRequire('${module}').cache).filter((f) => f.includes('node_modules'));
    const before = loaded().length;
    createSpectrogram({ sampleRate: 8000 });
    console.log(before, loaded().length);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(output.trim()).toBe('0 1');
});
