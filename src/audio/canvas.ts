import type pngjs from 'pngjs';
import { drawGlyph, GLYPH_HEIGHT, GLYPH_WIDTH } from './font.ts';
import { lazy } from './lazy.ts';

const pngPackage = lazy<typeof pngjs>('pngjs', 'A picture');

/** A colour as 0xRRGGBB. */
export type Colour = number;

/** A picture of dots, with just what a chart needs. The origin is at the top left. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  /** height × width × 4: red, green, blue, 255. */
  readonly #rgba: Uint8Array;

  constructor(width: number, height: number, background: Colour) {
    this.width = width;
    this.height = height;
    this.#rgba = new Uint8Array(4 * width * height);
    this.rectangle(0, 0, width, height, background);
  }

  dot(x: number, y: number, colour: Colour): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = 4 * (y * this.width + x);
    this.#rgba[at] = colour >> 16;
    this.#rgba[at + 1] = colour >> 8;
    this.#rgba[at + 2] = colour;
    this.#rgba[at + 3] = 255;
  }

  rectangle(x: number, y: number, width: number, height: number, colour: Colour): void {
    for (let j = y; j < y + height; j++) for (let i = x; i < x + width; i++) this.dot(i, j, colour);
  }

  /** A frame of one dot around a rectangle. */
  frame(x: number, y: number, width: number, height: number, colour: Colour): void {
    this.rectangle(x - 1, y - 1, width + 2, 1, colour);
    this.rectangle(x - 1, y + height, width + 2, 1, colour);
    this.rectangle(x - 1, y - 1, 1, height + 2, colour);
    this.rectangle(x + width, y - 1, 1, height + 2, colour);
  }

  /** Text whose left end, middle or right end is at `x` and whose top is at `y`. */
  text(
    text: string,
    x: number,
    y: number,
    colour: Colour,
    { scale = 1, align = 'left' }: { scale?: number; align?: 'left' | 'middle' | 'right' } = {},
  ): void {
    const width = textWidth(text, scale);
    let left = align === 'left' ? x : align === 'right' ? x - width : Math.round(x - width / 2);
    for (const character of text) {
      const start = left;
      drawGlyph(character, (column, row) => {
        this.rectangle(start + column * scale, y + row * scale, scale, scale, colour);
      });
      left += (GLYPH_WIDTH + 1) * scale;
    }
  }

  /** The picture as the bytes of a PNG file. */
  png(): Buffer {
    const { PNG } = pngPackage();
    const picture = new PNG({ width: this.width, height: this.height });
    picture.data = Buffer.from(this.#rgba.buffer);
    return PNG.sync.write(picture, { colorType: 2 });
  }
}

export const textWidth = (text: string, scale: number): number =>
  Math.max(0, [...text].length * (GLYPH_WIDTH + 1) - 1) * scale;
export const textHeight = (scale: number): number => GLYPH_HEIGHT * scale;
