import { ArgumentError } from '../errors.ts';

/** Checks of arguments that several designs share; each message names the value, the place and the cure. */

export function requireOrder(order: number, where: string): void {
  if (!Number.isInteger(order) || order < 1) {
    throw new ArgumentError(`${where}: order is ${order}: give a whole number of at least 1`);
  }
}

export function requirePositive(value: number, name: string, where: string): void {
  if (!Number.isFinite(value) || value <= 0) {
    throw new ArgumentError(`${where}: ${name} is ${value}: give a finite number above 0`);
  }
}

export function requireFinite(values: readonly number[], name: string, where: string): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new ArgumentError(
      `${where}: ${name}[${bad}] is ${values[bad]}: every value must be a finite number`,
    );
  }
}

/** A frequency strictly between 0 and half the sample rate, both in Hz. */
export function requireBelowNyquist(
  frequency: number,
  sampleRate: number,
  name: string,
  where: string,
): void {
  if (frequency > 0 && frequency < sampleRate / 2) return;
  throw new ArgumentError(
    `${where}: ${name} is ${frequency} Hz at ${sampleRate} Hz: ` +
      `give a frequency above 0 and below half the sample rate (${sampleRate / 2} Hz)`,
  );
}

/** A level in dB: above 0, and no more than 10^(dB/10) can carry through a design in float64. */
export function requireDecibels(value: number, name: string, where: string): void {
  requirePositive(value, `${name} (dB)`, where);
  if (value > 1000) throw new ArgumentError(`${where}: ${name} is ${value} dB: give at most 1000 dB`);
}
