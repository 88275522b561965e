/**
 * Two spectrograms that scroll, of what goes into a model and what comes out: the library's operators on the page's
 * side of the stream.
 */
import { map, type Observable } from 'rxjs';
import { frame } from 'statewave/operators';
import { colourMap } from '../../src/audio/colour-map.ts';
import { realDft } from '../../src/math/real-dft.ts';
import { surfaceOf } from './canvas.ts';

const SIZE = 1024;
const HOP = 512;
/** dB below a sine of full scale at which black begins. */
const RANGE = 100;

/** Levels of a frame before and after, dB below a sine of full scale, 0 Hz first. */
export interface Column {
  readonly before: Float32Array;
  readonly after: Float32Array;
}

/** Columns of blocks of frames × 2. */
export function columns(blocks: Observable<Float32Array>): Observable<Column> {
  const dft = realDft(SIZE);
  const [x, re, im] = [new Float64Array(SIZE), new Float64Array(dft.bins), new Float64Array(dft.bins)];
  const levels = (frames: Float32Array, channel: number): Float32Array => {
    for (let i = 0; i < SIZE; i++) x[i] = frames[2 * i + channel]!;
    dft.forward(x, re, im);
    // A Hann window halves a sine, whose other half is at negative frequencies.
    return Float32Array.from(re, (_, k) => 20 * Math.log10((4 / SIZE) * Math.hypot(re[k]!, im[k]!) + 1e-9));
  };
  return blocks.pipe(
    frame(SIZE, HOP, { window: 'hann', channels: 2, end: 'drop' }),
    map((frames) => ({ before: levels(frames, 0), after: levels(frames, 1) })),
  );
}

const palette = colourMap();

/** Draws columns from right to left; the frequency axis is linear up to `top`. */
export class SpectrogramView {
  readonly #canvas: HTMLCanvasElement;
  #waiting: Float32Array[] = [];
  #top = 1;
  #column: ImageData | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** @param top Hz that are shown at most. */
  show(top: number, sampleRate: number): void {
    this.#top = top / (sampleRate / 2);
    const labels = [0.25, 0.5, 0.75].map((share) => {
      const label = document.createElement('span');
      label.textContent = `${(share * top) / 1000} kHz`;
      label.style.bottom = `${100 * share}%`;
      return label;
    });
    this.#canvas.nextElementSibling!.replaceChildren(...labels);
    const { context, width, height } = surfaceOf(this.#canvas);
    context.fillStyle = `rgb(${palette[0]}, ${palette[1]}, ${palette[2]})`;
    context.fillRect(0, 0, width, height);
    this.#waiting = [];
  }

  push(levels: Float32Array): void {
    this.#waiting.push(levels);
    // A page in the background draws nothing; it needs no more than a screen of what it missed.
    if (this.#waiting.length > 2048) this.#waiting.shift();
  }

  draw(): void {
    if (this.#waiting.length === 0) return;
    const { context, width, height, scale } = surfaceOf(this.#canvas);
    const thick = Math.max(1, Math.round(scale));
    const shift = thick * this.#waiting.length;
    context.drawImage(this.#canvas, -shift, 0);
    if (this.#column?.height !== height || this.#column.width !== thick) {
      this.#column = context.createImageData(thick, height);
    }
    this.#waiting.forEach((levels, i) => {
      this.#paint(levels, this.#column!);
      context.putImageData(this.#column!, width - shift + i * thick, 0);
    });
    this.#waiting = [];
  }

  #paint(levels: Float32Array, { data, width, height }: ImageData): void {
    const bins = (levels.length - 1) * this.#top;
    for (let y = 0; y < height; y++) {
      const low = ((height - 1 - y) / height) * bins;
      const high = ((height - y) / height) * bins;
      // The loudest of the bins of a pixel; between two bins, what lies between.
      let level = levels[Math.round((low + high) / 2)]!;
      for (let k = Math.ceil(low); k < high; k++) level = Math.max(level, levels[k]!);
      const entry = Math.round(255 * Math.min(1, Math.max(0, 1 + level / RANGE)));
      for (let i = 0; i < width; i++) {
        const at = 4 * (y * width + i);
        for (let c = 0; c < 3; c++) data[at + c] = palette[3 * entry + c]!;
        data[at + 3] = 255;
      }
    }
  }
}
