export interface AudioInfo {
  readonly format: 'wav' | 'flac' | 'vorbis';
  /** Hz */
  readonly sampleRate: number;
  readonly channels: number;
  /** As the file says; undefined where it does not. */
  readonly frames: number | undefined;
}

/** A recording that is being read. */
export interface AudioReader {
  readonly info: AudioInfo;
  /**
   * The samples, each block a fresh array frames × channels, time-major, full scale ±1 (an integer sample s of n bits
   * is s / 2^(n−1)), of whatever size the format makes convenient. Once only; leaving the loop closes the file.
   *
   * @throws FormatError behind the last frame that could be read, where the file is damaged or was cut short.
   */
  blocks(): AsyncGenerator<Float32Array, void, void>;
  /** Lets go of the file. Harmless twice. */
  close(): Promise<void>;
}
