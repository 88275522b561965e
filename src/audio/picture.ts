import { ArgumentError } from '../errors.ts';
import { Canvas, textHeight, textWidth, type Colour } from './canvas.ts';
import { colourMap } from './colour-map.ts';
import { createSpectrogram, type Spectrogram } from './spectrogram.ts';
import { decimals, ticks, timeLabel, timeTicks } from './ticks.ts';

/** One spectrogram of a picture: one that was taken from a stream, or the samples of one channel. */
export type SpectrogramPanel =
  | { readonly title: string; readonly spectrogram: Spectrogram }
  | { readonly title: string; readonly samples: Float32Array; readonly sampleRate: number };

/** How the picture is to look. */
export interface PictureOptions {
  /** Width of the whole picture in dots, 320 to 4096. Default: 1200. */
  readonly width?: number;
  /** Height of one panel in dots, 40 to 2048. Default: 260. */
  readonly height?: number;
  /** The level that is drawn darkest, dBFS. Default: 80 dB below `ceilingDb`. */
  readonly floorDb?: number;
  /** The level that is drawn brightest, dBFS. Default: that of all but the strongest 0.1 % of points, rounded up to tens. */
  readonly ceilingDb?: number;
  /** Up to which frequency, Hz. Default: half the highest sample rate. */
  readonly maxFrequency?: number;
}

const PAPER: Colour = 0xffffff;
const INK: Colour = 0x1f2328;
const FAINT: Colour = 0x9aa1a9;

/**
 * Draws spectrograms one above the other, on common axes of time, frequency and level, so that they can be
 * compared.
 *
 * @returns the bytes of a PNG file.
 * @example
 * const before = { title: 'noisy', samples: noisy, sampleRate: 16_000 };
 * const after = { title: 'denoised', samples: clean, sampleRate: 16_000 };
 * writeFileSync('before-after.png', renderSpectrograms([before, after]));
 */
export function renderSpectrograms(
  panels: readonly SpectrogramPanel[],
  options: PictureOptions = {},
): Buffer {
  if (panels.length === 0) throw new ArgumentError('renderSpectrograms: give at least one panel.');
  const width = inRange('width', options.width ?? 1200, 320, 4096);
  const height = inRange('height', options.height ?? 260, 40, 2048);
  const scale = width >= 800 ? 2 : 1;
  const em = textHeight(scale);
  const half = Math.round(em / 2);
  const margin = {
    left: textWidth('20.5', scale) + 2 * em,
    right: textWidth('-100', scale) + 4 * em,
    top: em,
  };
  const plotWidth = width - margin.left - margin.right;

  const spectrograms = panels.map((panel) =>
    'spectrogram' in panel ? panel.spectrogram : take(panel, plotWidth),
  );
  const seconds = Math.max(...spectrograms.map((s) => s.seconds));
  const maxFrequency = options.maxFrequency ?? Math.max(...spectrograms.map((s) => s.sampleRate / 2));
  const images = spectrograms.map((s) => project(s, plotWidth, height, seconds, maxFrequency));
  const ceiling = options.ceilingDb ?? Math.max(-120, 10 * Math.ceil(strong(images) / 10));
  const floor = options.floorDb ?? ceiling - 80;
  if (!(floor < ceiling)) {
    throw new ArgumentError(`floorDb: ${floor} is not below ceilingDb ${ceiling}; lower it or leave it out.`);
  }

  const panelStep = 2 * em + height + em;
  const canvas = new Canvas(width, margin.top + panels.length * panelStep + 4 * em, PAPER);
  const map = colours();
  const place = (db: number): Colour =>
    map[Math.round(255 * Math.min(1, Math.max(0, (db - floor) / (ceiling - floor))))]!;

  const timeAt = timeTicks(seconds, Math.max(2, Math.floor(plotWidth / (textWidth('00:00:00', scale) + em))));
  const timeStep = timeAt.length > 1 ? timeAt[1]! - timeAt[0]! : seconds;
  const kilohertz = ticks(0, maxFrequency / 1000, Math.max(2, Math.floor(height / (2.2 * em))));
  const kilohertzStep = kilohertz.length > 1 ? kilohertz[1]! - kilohertz[0]! : 1;
  let top = margin.top;
  for (const [p, { title }] of panels.entries()) {
    const room = Math.floor(plotWidth / textWidth('nn', scale)) * 2 - 4;
    canvas.text(title.length > room ? `${title.slice(0, room - 3)}...` : title, margin.left, top, INK, {
      scale,
    });
    canvas.text('kHz', margin.left - em, top, FAINT, { scale, align: 'right' });
    top += 2 * em;
    const image = images[p]!;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < plotWidth; x++) {
        const db = image[y * plotWidth + x]!;
        // Beyond the end of a shorter panel there is nothing, not silence.
        canvas.dot(margin.left + x, top + y, Number.isNaN(db) ? 0xeeeeee : place(db));
      }
    }
    canvas.frame(margin.left, top, plotWidth, height, INK);
    for (const f of kilohertz) {
      const y = top + Math.round((1 - (1000 * f) / maxFrequency) * (height - 1));
      canvas.rectangle(margin.left - 1 - half, y, half, 1, INK);
      const at = Math.min(Math.max(y - half, top), top + height - em);
      canvas.text(decimals(f, kilohertzStep), margin.left - em, at, INK, { scale, align: 'right' });
    }
    for (const t of timeAt) {
      const x = margin.left + Math.round((t / (seconds || 1)) * (plotWidth - 1));
      canvas.rectangle(x, top + height + 1, 1, half, INK);
      if (p === panels.length - 1) {
        canvas.text(timeLabel(t, timeStep, seconds), x, top + height + em, INK, { scale, align: 'middle' });
      }
    }
    top += height + em;
  }
  const unit = seconds < 60 ? 'time (s)' : seconds < 3600 ? 'time (min:s)' : 'time (h:min:s)';
  canvas.text(unit, margin.left + plotWidth / 2, top + 2 * em, FAINT, { scale, align: 'middle' });

  // The bar of levels, as high as all panels together.
  const barTop = margin.top + 2 * em;
  const barHeight = panels.length * panelStep - 3 * em;
  const barLeft = margin.left + plotWidth + em + half;
  for (let y = 0; y < barHeight; y++) {
    const db = ceiling - ((ceiling - floor) * y) / (barHeight - 1);
    canvas.rectangle(barLeft, barTop + y, em, 1, place(db));
  }
  canvas.frame(barLeft, barTop, em, barHeight, INK);
  canvas.text('dBFS', barLeft, margin.top, FAINT, { scale });
  const levels = ticks(floor, ceiling, Math.max(2, Math.floor(barHeight / (4 * em))));
  const levelStep = levels.length > 1 ? levels[1]! - levels[0]! : 1;
  for (const db of levels) {
    const y = barTop + Math.round(((ceiling - db) / (ceiling - floor)) * (barHeight - 1));
    canvas.rectangle(barLeft + em + 1, y, half, 1, INK);
    const at = Math.min(Math.max(y - half, barTop), barTop + barHeight - em);
    canvas.text(decimals(db, levelStep), barLeft + 2 * em, at, INK, { scale });
  }
  return canvas.png();
}

/** A spectrogram with about as many columns as the picture has dots: short clips in fine steps. */
function take(
  panel: { readonly samples: Float32Array; readonly sampleRate: number },
  columns: number,
): Spectrogram {
  const fftSize = 2 ** Math.max(4, Math.round(Math.log2(panel.sampleRate * 0.032)));
  const hop = Math.max(1, Math.min(fftSize / 4, Math.floor(panel.samples.length / columns)));
  const builder = createSpectrogram({ sampleRate: panel.sampleRate, fftSize, hop, maxColumns: 2 * columns });
  builder.push(panel.samples);
  return builder.end();
}

/**
 * Levels in dB at the dots of the plot (height × width, from the highest frequency down), NaN beyond the
 * end and beyond half the sample rate. A dot that covers several columns or bins takes the mean of their
 * powers.
 */
function project(
  s: Spectrogram,
  width: number,
  height: number,
  seconds: number,
  maxFrequency: number,
): Float32Array {
  const image = new Float32Array(width * height).fill(NaN);
  const rows = Array.from({ length: height }, (_, y) => {
    const binsPerHertz = s.fftSize / s.sampleRate;
    const low = ((height - 1 - y) / height) * maxFrequency * binsPerHertz;
    const high = ((height - y) / height) * maxFrequency * binsPerHertz;
    return low >= s.bins - 1 ? undefined : range(low, high, s.bins);
  });
  for (let x = 0; x < width; x++) {
    const from = (x / width) * seconds;
    if (from >= s.seconds) break;
    const to = ((x + 1) / width) * seconds;
    const columns = range(from / s.secondsPerColumn, to / s.secondsPerColumn, s.columns);
    for (let y = 0; y < height; y++) {
      const bins = rows[y];
      if (bins === undefined) continue;
      let sum = 0;
      for (let c = columns[0]; c <= columns[1]; c++) {
        for (let b = bins[0]; b <= bins[1]; b++) sum += s.power[c * s.bins + b]!;
      }
      const count = (columns[1] - columns[0] + 1) * (bins[1] - bins[0] + 1);
      // 1e-30 is −300 dB: the logarithm of nothing would be lost to the mean of neighbours.
      image[y * width + x] = 10 * Math.log10(sum / count + 1e-30);
    }
  }
  return image;
}

/** The whole numbers whose cells [k, k + 1) begin in [from, to), or the one that holds `from`. */
function range(from: number, to: number, length: number): readonly [number, number] {
  const first = Math.min(length - 1, Math.ceil(from - 1e-9));
  const last = Math.min(length - 1, Math.ceil(to - 1e-9) - 1);
  if (last >= first) return [first, last];
  const only = Math.min(length - 1, Math.floor(from));
  return [only, only];
}

/**
 * The level that 99.9 % of all dots stay below. The very strongest is often one line of hum, and a scale up
 * to it would leave everything else dark.
 */
function strong(images: readonly Float32Array[]): number {
  // Counted in tenths of a dB from −300 to +100 dB.
  const counts = new Uint32Array(4001);
  let all = 0;
  for (const image of images) {
    for (const db of image) {
      if (Number.isNaN(db)) continue;
      counts[Math.min(4000, Math.max(0, Math.ceil(10 * (db + 300))))]!++;
      all++;
    }
  }
  let above = 0;
  for (let i = counts.length - 1; i >= 0; i--) {
    above += counts[i]!;
    if (above * 1000 > all) return i / 10 - 300;
  }
  return -300;
}

let computed: Colour[] | undefined;
function colours(): Colour[] {
  if (computed === undefined) {
    const map = colourMap();
    computed = Array.from(
      { length: 256 },
      (_, i) => (map[3 * i]! << 16) | (map[3 * i + 1]! << 8) | map[3 * i + 2]!,
    );
  }
  return computed;
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new ArgumentError(`${name}: ${value} is not a whole number of dots from ${least} to ${most}.`);
}
