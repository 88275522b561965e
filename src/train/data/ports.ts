import { ArgumentError } from '../../errors.ts';
import type { Item, ItemsOptions } from './item-source.ts';

/** A target's channels, and how many frames ahead of the input it is (a forecast). */
export interface TargetPort {
  readonly channels: readonly number[];
  /** Frames; 0 by default. */
  readonly ahead?: number | undefined;
}

/** Which channels of a recording go in at which port, and which are what is to come out. */
export interface Ports {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly targets: Readonly<Record<string, TargetPort>>;
}

/** All channels go in at the port `input`. */
export const inputOnly = (channels: number): Ports => ({
  inputs: { input: Array.from({ length: channels }, (_, c) => c) },
  targets: {},
});

/** Widths of inputs and targets, as `itemSource` wants them. */
export const widthsOf = ({ inputs, targets }: Ports): Pick<ItemsOptions, 'inputs' | 'targets'> => ({
  inputs: Object.fromEntries(Object.entries(inputs).map(([port, channels]) => [port, channels.length])),
  targets: Object.fromEntries(
    Object.entries(targets).map(([name, { channels }]) => [name, { width: channels.length }]),
  ),
});

/** Frames by which the furthest target is ahead. */
export const reachOf = ({ targets }: Ports): number =>
  Math.max(0, ...Object.values(targets).map(({ ahead = 0 }) => ahead));

/** @throws ArgumentError where a channel is asked for that is not there. */
export function checkPorts({ inputs, targets }: Ports, channels: number): void {
  const asked = [
    ...Object.entries(inputs),
    ...Object.entries(targets).map(([name, target]) => [name, target.channels] as const),
  ];
  for (const [name, wanted] of asked) {
    const wrong = wanted.find((c) => !Number.isInteger(c) || c < 0 || c >= channels);
    if (wrong !== undefined) {
      throw new ArgumentError(
        `ports: "${name}" wants channel ${wrong}, the recordings have ${channels} (0 is the first)`,
      );
    }
  }
  for (const [name, { ahead = 0 }] of Object.entries(targets)) {
    if (!Number.isSafeInteger(ahead) || ahead < 0) {
      throw new ArgumentError(`ports: "${name}" is ${ahead} frames ahead; give a whole number of at least 0`);
    }
  }
}

/**
 * Distributes a part of a recording to ports and targets.
 *
 * @param samples (frames + reach) × channels
 */
export function intoPorts(samples: Float32Array, frames: number, channels: number, ports: Ports): Item {
  const pick = (wanted: readonly number[], ahead: number): Float32Array => {
    if (wanted.length === channels && wanted.every((c, i) => c === i)) {
      return samples.slice(ahead * channels, (ahead + frames) * channels);
    }
    const out = new Float32Array(frames * wanted.length);
    for (let k = 0; k < frames; k++) {
      for (let i = 0; i < wanted.length; i++) {
        out[k * wanted.length + i] = samples[(k + ahead) * channels + wanted[i]!]!;
      }
    }
    return out;
  };
  return {
    frames,
    inputs: Object.fromEntries(Object.entries(ports.inputs).map(([port, wanted]) => [port, pick(wanted, 0)])),
    targets: Object.fromEntries(
      Object.entries(ports.targets).map(([name, { channels: wanted, ahead = 0 }]) => [
        name,
        pick(wanted, ahead),
      ]),
    ),
  };
}
