/**
 * What a model remembers, live: a complex state or two as points that turn, with the way they came; many states as
 * pictures, a layer each, a column a channel.
 */
import { scope, type StateSection } from 'statewave/web';
import { colourMap } from '../../src/audio/colour-map.ts';
import { surfaceOf, type Surface } from './canvas.ts';

/** Complex states that are drawn as points at most. */
const POINTS = 4;
const TRAIL = 160;
/** A colour's place of a state that is as large as the largest lately; smaller ones by the square root. */
const FORGET = 0.995;

const palette = colourMap();

export class StateView {
  readonly #canvas: HTMLCanvasElement;
  #sections: readonly StateSection[] = [];
  #largest: Float64Array = new Float64Array(0);
  #trails: { re: number; im: number }[][] = [];
  #pictures: { readonly canvas: OffscreenCanvas; readonly image: ImageData }[] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  show(sections: readonly StateSection[]): void {
    this.#sections = sections;
    this.#largest = new Float64Array(sections.length);
    this.#trails = sections.map(() => []);
    // Channels run to the right: there are more of them than states.
    this.#pictures = sections.map(({ rows, columns }) => ({
      canvas: new OffscreenCanvas(rows, columns),
      image: new ImageData(rows, columns),
    }));
    const { context, width, height } = surfaceOf(this.#canvas);
    context.clearRect(0, 0, width, height);
  }

  /** @param numbers the scope. */
  draw(numbers: Float32Array): void {
    if (this.#sections.length === 0) return;
    const surface = surfaceOf(this.#canvas);
    surface.context.clearRect(0, 0, surface.width, surface.height);
    const count = this.#sections.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    if (count <= POINTS && this.#sections.every(({ complex }) => complex)) this.#drawPoints(surface, numbers);
    else this.#sections.forEach((section, i) => this.#drawLayer(surface, numbers, section, i));
  }

  #drawPoints({ context, width, height, scale }: Surface, numbers: Float32Array): void {
    const names = ['zero-order hold', 'bilinear'];
    const colours = ['#a5a0ff', '#fbbf24'];
    const each = width / this.#sections.length;
    this.#sections.forEach(({ at }, i) => {
      const from = scope.STATE + at;
      this.#trails[i]!.push({ re: numbers[from]!, im: numbers[from + 1]! });
      if (this.#trails[i]!.length > TRAIL) this.#trails[i]!.shift();
    });
    const reach = Math.max(1e-6, ...this.#trails.flat().map(({ re, im }) => Math.hypot(re, im)));
    this.#trails.forEach((trail, i) => {
      const radius = 0.42 * Math.min(each, height - 24 * scale);
      const [x, y] = [each * (i + 0.5), height / 2 + 8 * scale];
      context.lineWidth = scale;
      context.strokeStyle = '#2c3150';
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.moveTo(x - radius, y);
      context.lineTo(x + radius, y);
      context.moveTo(x, y - radius);
      context.lineTo(x, y + radius);
      context.stroke();
      trail.forEach(({ re, im }, age) => {
        context.globalAlpha = ((age + 1) / trail.length) ** 3;
        context.fillStyle = colours[i]!;
        context.beginPath();
        const size = age === trail.length - 1 ? 5 : 2;
        context.arc(x + (radius * re) / reach, y - (radius * im) / reach, size * scale, 0, 7);
        context.fill();
      });
      context.globalAlpha = 1;
      this.#label({ context, scale }, names[i]!, x - radius, 6 * scale);
    });
  }

  #drawLayer(surface: Surface, numbers: Float32Array, section: StateSection, i: number): void {
    const { at, rows, columns, complex, path } = section;
    const { context, width, height, scale } = surface;
    const { canvas, image } = this.#pictures[i]!;
    const from = scope.STATE + at;
    const count = rows * columns;
    let largest = 1e-9;
    for (let k = 0; k < count; k++) largest = Math.max(largest, magnitude(numbers, from, k, count, complex));
    this.#largest[i] = Math.max(largest, this.#largest[i]! * FORGET);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const size = magnitude(numbers, from, row * columns + column, count, complex) / this.#largest[i]!;
        const entry = Math.round(255 * Math.sqrt(Math.min(1, size)));
        const to = 4 * (column * rows + row);
        for (let c = 0; c < 3; c++) image.data[to + c] = palette[3 * entry + c]!;
        image.data[to + 3] = 255;
      }
    }
    const gap = 20 * scale;
    const each = (height - 4 * scale) / this.#sections.length;
    const top = i * each;
    canvas.getContext('2d')!.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(canvas, 8 * scale, top + gap, width - 16 * scale, each - gap - 2 * scale);
    const words = `${path.split('.').at(-1)!.replace(/#.*/, '')} ${i + 1} · ${rows} channels × ${columns} states`;
    this.#label(surface, words, 8 * scale, top + 5 * scale);
  }

  #label({ context, scale }: Pick<Surface, 'context' | 'scale'>, text: string, x: number, y: number): void {
    context.font = `${11 * scale}px ${getComputedStyle(this.#canvas).fontFamily}`;
    context.textBaseline = 'top';
    context.fillStyle = '#a0a7c2';
    context.fillText(text, x, y);
  }
}

const magnitude = (
  numbers: Float32Array,
  from: number,
  k: number,
  count: number,
  complex: boolean,
): number =>
  complex ? Math.hypot(numbers[from + k]!, numbers[from + count + k]!) : Math.abs(numbers[from + k]!);
