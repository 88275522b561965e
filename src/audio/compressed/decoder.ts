/** What the packages @wasm-audio-decoders/flac and /ogg-vorbis have in common, and how they are run over a file. */
import { BackendError, FormatError } from '../../errors.ts';
import type { Bytes } from './bytes.ts';

/** Bytes handed to a decoder at a time: little memory, few calls. */
const PIECE = 65_536;

interface Decoded {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
  readonly errors: readonly { readonly message: string }[];
}

export interface Decoder {
  readonly ready: Promise<void>;
  decode(bytes: Uint8Array): Promise<Decoded>;
  flush(): Promise<Decoded>;
  free(): void;
}

/**
 * Decoders at rest, one of each kind: making one costs as much as decoding seconds of sound, and a folder has hundreds of
 * files. `flush` has put them back to their beginning.
 */
const resting = new Map<DecoderClass, Decoder>();

export type DecoderClass = new () => Decoder;

/** A package that only some files need, with a plain message where it is missing. */
export async function loadDecoder<T>(name: string, job: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (cause) {
    throw new BackendError(`${job} needs the package "${name}": npm install ${name}`, { cause });
  }
}

/**
 * Decodes piece by piece.
 *
 * @param tail bytes to hand over behind the file's own.
 * @param exact what becomes of a decoder's sample.
 * @returns blocks frames × channels; lets go of decoder and file at the end, or when the loop is left.
 */
export async function* decodeBlocks(
  path: string,
  bytes: Bytes,
  channels: number,
  Class: DecoderClass,
  tail: Uint8Array,
  exact: (sample: number) => number,
): AsyncGenerator<Float32Array, void, void> {
  const interleave = ({ channelData, samplesDecoded, errors }: Decoded): Float32Array | undefined => {
    if (errors.length > 0) {
      throw new FormatError(
        `${path}: damaged (${errors[0]!.message}); fetch it again, or leave damaged files out (damaged: 'skip')`,
      );
    }
    if (samplesDecoded === 0) return undefined;
    if (channelData.length !== channels) {
      throw new FormatError(`${path}: ${channelData.length} channels where its header says ${channels}`);
    }
    const block = new Float32Array(samplesDecoded * channels);
    channelData.forEach((samples, c) => {
      for (let i = 0; i < samplesDecoded; i++) block[i * channels + c] = exact(samples[i]!);
    });
    return block;
  };
  const decoder = resting.get(Class) ?? new Class();
  resting.delete(Class);
  let whole = false;
  try {
    await decoder.ready;
    for (let at = 0; at < bytes.length; at += PIECE) {
      const block = interleave(await decoder.decode(bytes.read(at, PIECE)));
      if (block !== undefined) yield block;
    }
    for (const last of [() => decoder.decode(tail), () => decoder.flush()]) {
      const block = interleave(await last());
      if (block !== undefined) yield block;
    }
    whole = true;
  } finally {
    if (whole && !resting.has(Class)) resting.set(Class, decoder);
    else decoder.free();
    bytes.close();
  }
}
