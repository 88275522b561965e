import { SnapshotError } from '../errors.ts';
import { crc32 } from '../stream/checksum.ts';

/**
 * Snapshots of many streams of one model differ in their numbers and say the same about themselves, which is most of
 * their bytes. Packed, a snapshot is
 *
 *     1 (u8) · checksum of its form (u32) · frames (f64) · sections        the form is kept once
 *     0 (u8) · the snapshot                                               where it has another form
 *
 * in little-endian order. What comes out of unpacking is the snapshot, byte for byte.
 */
export interface SnapshotForm {
  /** The header of a snapshot before and behind its number of frames. */
  readonly before: string;
  readonly behind: string;
}

const [PLAIN, FORMED] = [0, 1];
/** Magic and length before the header; kind, form and frames before the sections of a packed one. */
const [HEAD, PACKED_HEAD] = [12, 13];

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

interface KnownForm {
  readonly form: SnapshotForm;
  readonly before: Uint8Array;
  readonly behind: Uint8Array;
}

/** Packs by the form of one snapshot, and unpacks by every form that it has been told. */
export class SnapshotPacker {
  readonly #magic: Uint8Array;
  readonly #own: number;
  readonly #forms = new Map<number, KnownForm>();

  /** @param sample a snapshot like most of those to come. */
  constructor(sample: Uint8Array) {
    this.#magic = sample.slice(0, 8);
    const view = viewOf(sample);
    const text = textOf(sample.subarray(HEAD, HEAD + view.getUint32(8, true)));
    const { frames } = JSON.parse(text) as { frames: number };
    const mark = `"frames":${frames},"ended":`;
    const at = text.indexOf(mark) + '"frames":'.length;
    this.#own = this.learn({ before: text.slice(0, at), behind: text.slice(at + String(frames).length) });
  }

  /** The form that snapshots are packed by. */
  get own(): SnapshotForm {
    return this.#forms.get(this.#own)!.form;
  }

  /** Takes note of another form, and returns its checksum. */
  learn(form: SnapshotForm): number {
    const before = bytesOf(form.before);
    const behind = bytesOf(form.behind);
    const checksum = crc32(bytesOf(JSON.stringify([form.before, form.behind])));
    this.#forms.set(checksum, { form, before, behind });
    return checksum;
  }

  /** The checksum of a form that this does not know, if these bytes need one. */
  unknownForm(packed: Uint8Array): number | undefined {
    if (packed[0] !== FORMED || packed.length < PACKED_HEAD) return undefined;
    const checksum = viewOf(packed).getUint32(1, true);
    return this.#forms.has(checksum) ? undefined : checksum;
  }

  /** @param frames what the snapshot says that its stream has taken. */
  pack(snapshot: Uint8Array, frames: number): Uint8Array {
    const { before, behind } = this.#forms.get(this.#own)!;
    const header = HEAD + viewOf(snapshot).getUint32(8, true);
    const digits = bytesOf(String(frames));
    const isFormed =
      header === HEAD + before.length + digits.length + behind.length &&
      holds(snapshot, HEAD, before) &&
      holds(snapshot, HEAD + before.length, digits) &&
      holds(snapshot, header - behind.length, behind);
    if (!isFormed) {
      const plain = new Uint8Array(1 + snapshot.length);
      plain[0] = PLAIN;
      plain.set(snapshot, 1);
      return plain;
    }
    const sections = snapshot.subarray(header, snapshot.length - 4);
    const packed = new Uint8Array(PACKED_HEAD + sections.length);
    const view = viewOf(packed);
    packed[0] = FORMED;
    view.setUint32(1, this.#own, true);
    view.setFloat64(5, frames, true);
    packed.set(sections, PACKED_HEAD);
    return packed;
  }

  /** @throws SnapshotError for bytes that are none, or of a form that this does not know. */
  unpack(packed: Uint8Array): Uint8Array {
    if (packed[0] === PLAIN) return packed.slice(1);
    if (packed[0] !== FORMED || packed.length < PACKED_HEAD)
      throw new SnapshotError(`this is no packed snapshot (${packed.length} bytes); it is damaged`);
    const view = viewOf(packed);
    const checksum = view.getUint32(1, true);
    const known = this.#forms.get(checksum);
    if (!known) {
      throw new SnapshotError(
        `a packed snapshot has the form ${checksum.toString(16)}, which is not known here: it is of another model or build; ` +
          'unpack it where it was packed',
      );
    }
    const digits = bytesOf(String(view.getFloat64(5, true)));
    const { before, behind } = known;
    const header = before.length + digits.length + behind.length;
    const snapshot = new Uint8Array(HEAD + header + packed.length - PACKED_HEAD + 4);
    const target = viewOf(snapshot);
    snapshot.set(this.#magic);
    target.setUint32(8, header, true);
    snapshot.set(before, HEAD);
    snapshot.set(digits, HEAD + before.length);
    snapshot.set(behind, HEAD + before.length + digits.length);
    snapshot.set(packed.subarray(PACKED_HEAD), HEAD + header);
    const end = snapshot.length - 4;
    target.setUint32(end, crc32(snapshot.subarray(0, end)), true);
    return snapshot;
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function holds(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
