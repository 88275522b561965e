/** A canvas of as many pixels as the screen has for it. */
export interface Surface {
  readonly context: CanvasRenderingContext2D;
  /** Device pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels of a CSS pixel. */
  readonly scale: number;
}

/** Sizes a canvas to what the page gives it; what was drawn stays where the size does. */
export function surfaceOf(canvas: HTMLCanvasElement): Surface {
  const scale = globalThis.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.max(1, Math.round(canvas.clientHeight * scale));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return { context: canvas.getContext('2d')!, width, height, scale };
}

/** A colour of the style sheet, which knows whether it is light or dark. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
