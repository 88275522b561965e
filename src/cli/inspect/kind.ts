import { looksPytorch } from '../../checkpoint/load.ts';
import { FormatError } from '../../errors.ts';
import { looksJson } from '../support/json-kind.ts';

export type Kind = 'wav' | 'safetensors' | 'snapshot' | 'pytorch' | 'json';

const latin = new TextDecoder('latin1');

/** Bytes that `kindOf` looks at. */
export const HEAD_BYTES = 16;

/**
 * What a file is, by its first bytes: WAV, snapshots, ZIP files and pickles carry their name; a safetensors file is a
 * length followed by JSON.
 *
 * @param head the first 16 bytes, fewer only if there are no more.
 * @throws FormatError for what is none of them.
 */
export function kindOf(head: Uint8Array, source: string): Kind {
  const text = latin.decode(head);
  if (/^(RIFF|RIFX|RF64|BW64)/.test(text)) return 'wav';
  if (text.startsWith('SWSNAP')) return 'snapshot';
  if (looksPytorch(head)) return 'pytorch';
  // The brace may stand behind white space; and of a header that is cut short there may be none.
  const mark = text[8];
  const length =
    head.length < 8 ? undefined : new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  if (length !== undefined && length <= 100_000_000n) return 'safetensors';
  if (looksJson(head)) return 'json';
  if (mark === '{' || mark === ' ' || mark === '\n' || mark === '\t' || mark === '\r') return 'safetensors';
  if (head.length === 0) throw unknown(source, 'it is empty');
  const bytes = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw unknown(source, `it begins with ${bytes}; is the path right, and the download complete?`);
}

const unknown = (source: string, why: string): FormatError =>
  new FormatError(`${source} is neither a WAV file nor a model nor a snapshot: ${why}`);
