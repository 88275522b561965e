import { wavTexts } from './wav-texts.ts';
import { readWav, type WavInfo, type WavSource } from '../../audio/index.ts';

/** What `inspect` says of a WAV file. */
export interface WavReport extends WavInfo {
  readonly kind: 'wav';
  readonly file: string;
  readonly bytes: number | undefined;
  /** Tags of a LIST INFO chunk, such as `INAM`; none of a pipe. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Of a file the header is enough; a pipe is read to its end, since only that tells how long it is. */
export async function inspectWav(
  source: WavSource,
  file: string,
  bytes: number | undefined,
): Promise<WavReport> {
  const reader = await readWav(source);
  try {
    if (reader.info.frames === undefined || bytes === undefined) {
      for await (const _block of reader.blocks(4096));
    }
    const texts = typeof source === 'string' ? await wavTexts(source, reader.info) : {};
    return { kind: 'wav', file, bytes, texts, ...reader.info };
  } finally {
    await reader.close();
  }
}
