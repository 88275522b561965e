import { ArgumentError, FormatError } from '../errors.ts';
import type { AudioInfo, AudioReader } from './audio-reader.ts';
import { openFlac } from './compressed/flac.ts';
import { openVorbis } from './compressed/vorbis.ts';
import { headOf } from './compressed/bytes.ts';
import { readWav } from './wav/index.ts';

/** Frames of a block of a WAV file. */
const WAV_BLOCK = 16_384;

/**
 * Opens a recording, WAV, FLAC or Ogg Vorbis by its first bytes, in constant memory. FLAC needs the package
 * `@wasm-audio-decoders/flac`, Vorbis `@wasm-audio-decoders/ogg-vorbis`; both are loaded when the first such file is.
 *
 * @throws ArgumentError for a path that cannot be opened, FormatError for a file that is none of the three,
 *   BackendError where the decoder's package is missing.
 * @example
 * const audio = await openAudio('speech.flac');
 * for await (const block of audio.blocks()) consume(block, audio.info.channels);
 */
export async function openAudio(path: string): Promise<AudioReader> {
  const head = headOf(path);
  const kind = kindOf(head);
  if (kind === 'flac') return openFlac(path);
  if (kind === 'vorbis') return openVorbis(path);
  if (kind === 'wav') return openWav(path);
  throw new FormatError(
    `${path}: ${kind}; statewave reads WAV, FLAC and Ogg Vorbis: convert it (ffmpeg -i in out.flac)`,
  );
}

/**
 * A whole recording at once.
 *
 * @returns `samples` frames × channels, time-major, full scale ±1.
 * @throws as `openAudio` and `AudioReader.blocks`.
 */
export async function readAudio(path: string): Promise<{ info: AudioInfo; samples: Float32Array }> {
  const audio = await openAudio(path);
  const parts: Float32Array[] = [];
  for await (const block of audio.blocks()) parts.push(block);
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { info: { ...audio.info, frames: samples.length / audio.info.channels }, samples };
}

const text = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

/** Which of our formats, or in words what it is instead. */
function kindOf(head: Uint8Array): string {
  const magic = text(head, 0, 4);
  if (['RIFF', 'RIFX', 'RF64', 'BW64'].includes(magic)) return 'wav';
  if (magic === 'fLaC') return 'flac';
  if (magic === 'OggS') {
    const packet = 27 + (head[26] ?? 0);
    const codec = text(head, packet, packet + 8);
    if (codec.startsWith('\x01vorbis')) return 'vorbis';
    if (codec.startsWith('OpusHead')) return 'Ogg Opus';
    if (codec.startsWith('\x7fFLAC')) return 'FLAC inside Ogg';
    return 'an Ogg file without Vorbis at its start';
  }
  if (magic.startsWith('ID3') || (head[0] === 0xff && (head[1]! & 0xe0) === 0xe0)) return 'MP3 or AAC';
  if (head.length === 0) return 'an empty file';
  return `no audio (it begins with the bytes ${[...head.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ')})`;
}

async function openWav(path: string): Promise<AudioReader> {
  const wav = await readWav(path);
  const { sampleRate, channels, frames } = wav.info;
  if (channels === 0) throw new ArgumentError(`${path}: no channels`);
  return {
    info: { format: 'wav', sampleRate, channels, frames },
    async *blocks() {
      yield* wav.blocks(WAV_BLOCK);
      if (wav.info.truncated) {
        throw new FormatError(
          `${path}: cut short, ${wav.info.frames} frames are there (${wav.info.warnings.join('; ')}); fetch it again, or skip it`,
        );
      }
    },
    close: () => wav.close(),
  };
}
