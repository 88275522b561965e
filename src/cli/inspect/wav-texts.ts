import { open } from 'node:fs/promises';
import type { WavInfo } from '../../audio/index.ts';

/** More text than this nobody put there. */
const MOST_BYTES = 1 << 20;

/**
 * What a WAV file says in words: the tags of its LIST INFO chunk (`INAM` title, `IART` artist, …), read by wavefile.
 * wavefile holds a whole file, so it is given one of no samples that carries those chunks alone.
 *
 * @returns nothing where there is no such chunk, or one that wavefile cannot read: a text is no reason to refuse a file.
 */
export async function wavTexts(path: string, { chunks }: WavInfo): Promise<Record<string, string>> {
  const lists = chunks.filter(({ id, size }) => id === 'LIST' && size <= MOST_BYTES);
  if (lists.length === 0) return {};
  const { default: wavefile } = await import('wavefile');
  const file = await open(path);
  try {
    const texts: Record<string, string> = {};
    for (const { offset, size } of lists) {
      const list = Buffer.alloc(size);
      const { bytesRead } = await file.read(list, 0, size, offset);
      if (bytesRead < size) continue;
      try {
        const reader = new wavefile.WaveFile();
        reader.fromBuffer(silentWavWith(list), false);
        Object.assign(texts, reader.listTags());
      } catch {
        continue;
      }
    }
    return texts;
  } finally {
    await file.close();
  }
}

/** RIFF header, `fmt ` of 8-bit mono, no samples, then the LIST chunk. */
function silentWavWith(list: Uint8Array): Uint8Array {
  const padded = list.length + (list.length % 2);
  const bytes = Buffer.alloc(44 + 8 + padded);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(8000, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write('data', 36, 'latin1');
  bytes.write('LIST', 44, 'latin1');
  bytes.writeUInt32LE(list.length, 48);
  bytes.set(list, 52);
  return bytes;
}
