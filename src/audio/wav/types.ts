/** How the samples of a WAV file are coded. */
export type WavCoding = 'pcm' | 'float' | 'alaw' | 'mulaw' | 'ima-adpcm';

/** One chunk of a RIFF file: what it is called, where its content begins, and how long it says it is. */
export interface WavChunk {
  /** Four characters; bytes that are not printable ASCII are shown as `\xNN`. */
  readonly id: string;
  /** Bytes of content, as the chunk itself (or `ds64`) declares. */
  readonly size: number;
  /** Where the content begins, in bytes from the start of the file. */
  readonly offset: number;
}

/** The `fmt ` chunk, checked and made consistent. */
export interface WavFormat {
  readonly coding: WavCoding;
  readonly sampleRate: number;
  readonly channels: number;
  /** Bits that carry signal (24 in a 32-bit container, 4 for ADPCM). */
  readonly bitsPerSample: number;
  /** Bits that a sample takes up in the file; the full scale of PCM is 2^(containerBits − 1). */
  readonly containerBits: number;
  /** Bytes of a frame, or of a compressed block. */
  readonly blockAlign: number;
  /** Frames of a block: 1, but for ADPCM. */
  readonly framesPerBlock: number;
  /** Whether the header is a WAVE_FORMAT_EXTENSIBLE. */
  readonly extensible: boolean;
  /** Speaker positions (WAVE_FORMAT_EXTENSIBLE), 0 where the file names none. */
  readonly channelMask: number;
}

/**
 * What a WAV file says about itself, and what was found wrong with it. Of a pipe, whose end nobody knows
 * beforehand, `frames`, `dataBytes`, `chunks`, `warnings` and `truncated` are complete once the last block
 * has been read.
 */
export interface WavInfo extends WavFormat {
  readonly container: 'RIFF' | 'RIFX' | 'RF64' | 'BW64';
  /** Frames in the file; `undefined` as long as it is not known. */
  readonly frames: number | undefined;
  /** `frames / sampleRate`, in seconds. */
  readonly seconds: number | undefined;
  /** Where the samples begin, in bytes. */
  readonly dataOffset: number;
  /** Bytes of samples that are really there; `undefined` as long as it is not known. */
  readonly dataBytes: number | undefined;
  /** All chunks in the order of the file, `fmt ` and `data` among them. */
  readonly chunks: readonly WavChunk[];
  /** What was wrong with the file and how it was read all the same. */
  readonly warnings: readonly string[];
  /** Whether the file ends before it says it does. All whole frames are kept. */
  readonly truncated: boolean;
}

/** The same, while the reader is still finding out. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Turns whole blocks to samples from `out[at]` on. Full scale is ±1. */
export type Decode = (bytes: Uint8Array, out: Float32Array | Float64Array, at: number) => void;
