/** Models that are JSON: told apart by what is in them. */
import { FormatError } from '../../errors.ts';

export type JsonKind = 'nam' | 'rtneural';

/** Whether a text may be JSON, by its first bytes: a brace, perhaps behind white space or a byte order mark. */
export const looksJson = (head: Uint8Array): boolean =>
  /^(\xef\xbb\xbf)?\s*\{/.test(Buffer.from(head).toString('latin1'));

/** Captures of Neural Amp Modeler name their architecture; what else there is comes from RTNeural. */
export const jsonKindOf = (text: Uint8Array): JsonKind =>
  Buffer.from(text.buffer, text.byteOffset, text.length).includes('"architecture"') ? 'nam' : 'rtneural';

/** The largest model that is read as JSON: a parser holds it several times. */
const LARGEST = 64 * 2 ** 20;

/** @throws FormatError for a file that is too large to be a model in JSON. */
export function checkJsonSize(bytes: number, source: string): void {
  if (bytes <= LARGEST) return;
  throw new FormatError(`${source}: ${bytes} bytes of JSON; ${LARGEST} at most are read. Is this a model?`);
}
