/** The frequency response of the resonator, heard from an impulse that went through the model itself. */
import { compile } from 'statewave';
import { realDft } from '../../src/math/real-dft.ts';
import { colour, surfaceOf } from './canvas.ts';
import { resonator } from './resonator.ts';

const SIZE = 8192;
/** Frames until the controls stand still. */
const SETTLE = 9600;
/** Hz at the ends of the axis, and dB at its foot. */
const [LOW, HIGH] = [50, 20_000];
const FLOOR = -60;

export interface Setting {
  readonly frequency: number;
  readonly damping: number;
}

/** dB at each bin of a transform of `SIZE` points, by zero-order hold (0) or bilinear (1). */
export function responseOf({ frequency, damping }: Setting, method: 0 | 1, sampleRate: number): Float64Array {
  const stream = compile(resonator(), {}, { sampleRate, warmUp: false });
  const frames = SETTLE + SIZE;
  const input = new Float32Array(frames);
  input[SETTLE] = 1;
  const still = (value: number) => new Float32Array(frames).fill(value);
  const output = stream.push({
    input,
    frequency: still(frequency),
    damping: still(damping),
    bilinear: still(method),
  });
  const dft = realDft(SIZE);
  const [re, im] = [new Float64Array(dft.bins), new Float64Array(dft.bins)];
  dft.forward(Float64Array.from(output.subarray(SETTLE)), re, im);
  return re.map((_, k) => 20 * Math.log10(Math.hypot(re[k]!, im[k]!) + 1e-9));
}

export function drawResponse(canvas: HTMLCanvasElement, setting: Setting, sampleRate: number): void {
  const { context, width, height, scale } = surfaceOf(canvas);
  const bottom = height - 18 * scale;
  const x = (hertz: number) => (width * Math.log(hertz / LOW)) / Math.log(HIGH / LOW);
  const y = (decibel: number) => 6 * scale + ((bottom - 6 * scale) * (decibel - 3)) / (FLOOR - 3);
  context.clearRect(0, 0, width, height);
  context.font = `${11 * scale}px ${getComputedStyle(canvas).fontFamily}`;
  context.fillStyle = colour('quiet');
  context.strokeStyle = colour('line');
  context.lineWidth = scale;
  for (const hertz of [100, 200, 500, 1000, 2000, 5000, 10_000]) {
    line(context, x(hertz), 0, x(hertz), bottom);
    context.textAlign = 'center';
    context.fillText(hertz < 1000 ? `${hertz}` : `${hertz / 1000}k`, x(hertz), height - 4 * scale);
  }
  context.textAlign = 'left';
  for (const decibel of [0, -20, -40]) {
    line(context, 0, y(decibel), width, y(decibel));
    context.fillText(`${decibel} dB`, 2 * scale, y(decibel) - 3 * scale);
  }
  for (const method of [0, 1] as const) {
    const levels = responseOf(setting, method, sampleRate);
    context.strokeStyle = colour(method === 0 ? 'accent' : 'second');
    context.lineWidth = 2 * scale;
    context.setLineDash(method === 0 ? [] : [6 * scale, 4 * scale]);
    context.beginPath();
    for (let column = 0; column <= width; column++) {
      const hertz = LOW * (HIGH / LOW) ** (column / width);
      const bin = (hertz / sampleRate) * SIZE;
      const [left, share] = [Math.floor(bin), bin % 1];
      const level = levels[left]! * (1 - share) + levels[left + 1]! * share;
      context.lineTo(column, y(Math.max(FLOOR, level)));
    }
    context.stroke();
    context.setLineDash([]);
  }
}

function line(context: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}
