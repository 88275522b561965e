import type { ControlSpec } from '../signal/index.ts';

/** The least frequency in Hz that a control takes, and the greatest in cycles a frame. */
const LOWEST = 1e-6;
const HIGHEST = 0.4999;

/** A control in Hz, which moves by equal ratios and stays below half the rate. */
export const frequencyControl = (value: number | readonly number[]): ControlSpec => ({
  value,
  min: LOWEST,
  max: (sampleRate) => HIGHEST * sampleRate,
  unit: 'Hz',
  scale: 'logarithmic',
});
