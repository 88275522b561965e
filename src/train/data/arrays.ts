import { ArgumentError } from '../../errors.ts';
import type { FloatArray } from '../../signal/index.ts';
import { bucketsOf } from './buckets.ts';
import type { DataSource } from './described.ts';
import { itemSource } from './item-source.ts';
import type { OrderOptions } from './order.ts';

/** A sequence in memory. */
export interface SequenceItem {
  /** frames × channels by input port. */
  readonly inputs: Readonly<Record<string, FloatArray>>;
  /** By name: frames × channels; or, where the name is in `perItem`, numbers of the whole sequence, such as its class. */
  readonly targets: Readonly<Record<string, FloatArray>>;
}

export interface ArraysOptions extends OrderOptions {
  /** Channels of ports and targets of which there is not just one. */
  readonly channels?: Readonly<Record<string, number>> | undefined;
  /** Targets of the whole sequence rather than of every frame. */
  readonly perItem?: readonly string[] | undefined;
  /** Lengths, or how many (4): see `bucketsOf`. */
  readonly buckets?: number | readonly number[] | undefined;
}

/**
 * Batches of sequences in memory, of any lengths: padded to those of a few buckets, in a new order every epoch.
 *
 * @throws ArgumentError naming the sequence whose ports, lengths or targets differ from the others'.
 * @example
 * const source = arrays([{ inputs: { input: x }, targets: { output: y } }], { batch: 8, seed: 1 });
 */
export function arrays(sequences: readonly SequenceItem[], options: ArraysOptions): DataSource {
  const first = sequences[0];
  if (first === undefined) throw new ArgumentError('arrays: no sequences; give at least one');
  const channels = (name: string): number => options.channels?.[name] ?? 1;
  const perItem = new Set(options.perItem);
  const inputs = Object.fromEntries(Object.keys(first.inputs).map((port) => [port, channels(port)]));
  const targets = Object.fromEntries(
    Object.keys(first.targets).map((name) => [
      name,
      perItem.has(name)
        ? { width: first.targets[name]!.length, perItem: true }
        : { width: channels(name), perItem: false },
    ]),
  );
  const lengths = sequences.map((sequence, i) => checkedFrames(sequence, i, inputs, targets));
  const copy = (values: Readonly<Record<string, FloatArray>>): Record<string, Float32Array> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Float32Array.from(value)]));
  return itemSource({
    ...options,
    buckets: bucketsOf(lengths, options.buckets),
    inputs,
    targets,
    load: (item) => ({
      frames: lengths[item]!,
      inputs: copy(sequences[item]!.inputs),
      targets: copy(sequences[item]!.targets),
    }),
  });
}

/** Frames of a sequence that has what the first one has. */
function checkedFrames(
  sequence: SequenceItem,
  number: number,
  inputs: Readonly<Record<string, number>>,
  targets: Readonly<Record<string, { readonly width: number; readonly perItem: boolean }>>,
): number {
  let frames: number | undefined;
  const check = (what: string, value: FloatArray | undefined, width: number, whole: boolean): void => {
    const place = `arrays: ${what} of sequence ${number}`;
    if (value === undefined) throw new ArgumentError(`${place} is missing; every sequence needs it`);
    if (whole) {
      if (value.length !== width) {
        throw new ArgumentError(`${place} has ${value.length} numbers, the first sequence's ${width}`);
      }
    } else if (value.length === 0 || value.length % width !== 0) {
      throw new ArgumentError(
        `${place} has ${value.length} numbers, no whole frames of ${width} channels (channels: {…})`,
      );
    } else if ((frames ??= value.length / width) !== value.length / width) {
      throw new ArgumentError(
        `${place} has ${value.length / width} frames, others of it ${frames}; a target of the whole sequence belongs in perItem`,
      );
    }
    if (!value.every(Number.isFinite)) throw new ArgumentError(`${place} holds a number that is not finite`);
  };
  for (const [port, width] of Object.entries(inputs))
    check(`input "${port}"`, sequence.inputs[port], width, false);
  for (const [name, { width, perItem }] of Object.entries(targets)) {
    check(`target "${name}"`, sequence.targets[name], width, perItem);
  }
  return frames!;
}
