/**
 * The parts of a torch.save archive: `<name>/data.pkl`, the storages `<name>/data/<key>`, `<name>/byteorder`,
 * `<name>/version`. Other files that PyTorch writes are recognised and refused by name.
 *
 * Source: pytorch `torch/serialization.py` (`_save`, `_load`, `_is_zipfile`, `MAGIC_NUMBER`),
 * `caffe2/serialize/inline_container.cc` (`kProducedFileFormatVersion` and its limits).
 */
import { FormatError } from '../../errors.ts';
import { listSome, quote } from '../message.ts';
import type { RandomAccess } from './bytes.ts';
import { MAX_PICKLE_BYTES } from './unpickle.ts';
import type { ZipEntry } from './zip-directory.ts';
import { openZip } from './zip.ts';

/** Newest layout that PyTorch's own reader takes (`kMaxSupportedFileFormatVersion`). */
const NEWEST_VERSION = 10;

export interface TorchArchive {
  readonly pickle: Uint8Array;
  readonly bigEndian: boolean;
  /** The entry of a storage, if there is one. */
  entryOf(key: string): ZipEntry | undefined;
  read(entry: ZipEntry): Uint8Array;
}

/** @throws FormatError */
export function openArchive(file: RandomAccess, source: string): TorchArchive {
  const fail = (what: string): never => {
    throw new FormatError(`${source}: ${what}`);
  };
  refuseOthers(file.read(0, Math.min(512, file.length)), fail);
  const zip = openZip(file, source);
  const names = [...zip.entries.keys()];
  const [pickleName, ...more] = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickleName === undefined) {
    return fail(
      `is a ZIP file without data.pkl (it has ${listSome(names.slice(0, 99).map(quote), 3) || 'nothing'}), so no PyTorch checkpoint; give what torch.save wrote`,
    );
  }
  if (more.length > 0) return fail(`has ${1 + more.length} entries data.pkl; give one checkpoint`);
  const folder = pickleName.slice(0, -'data.pkl'.length);
  if (names.some((name) => name === `${folder}constants.pkl` || name.startsWith(`${folder}code/`))) {
    return fail(
      'is a TorchScript archive, which holds a program; save the state_dict of the model: torch.save(torch.jit.load(path).state_dict(), other)',
    );
  }
  /** A record that says one word. */
  const word = (name: string): string | undefined => {
    const entry = zip.entries.get(folder + name);
    if (!entry) return undefined;
    if (entry.size > 16) fail(`${name} takes ${entry.size} bytes, more than the word that is due`);
    return new TextDecoder().decode(zip.read(entry)).trim();
  };
  const version = word('version');
  if (version !== undefined && !(/^\d+$/.test(version) && Number(version) <= NEWEST_VERSION)) {
    fail(
      `has layout version ${quote(version)}; those up to ${NEWEST_VERSION} are read, save it with a PyTorch of that age`,
    );
  }
  // Absent before PyTorch 2.1, which wrote on machines that are little-endian but for the rarest.
  const order = word('byteorder') ?? 'little';
  if (order !== 'little' && order !== 'big') fail(`has byte order ${quote(order)}; little and big are read`);
  const pickle = zip.entries.get(pickleName)!;
  if (pickle.size > MAX_PICKLE_BYTES) {
    fail(
      `data.pkl takes ${pickle.size} bytes, more than the ${MAX_PICKLE_BYTES} that are read; export the state_dict alone`,
    );
  }
  return {
    pickle: zip.read(pickle),
    bigEndian: order === 'big',
    entryOf: (key) => zip.entries.get(`${folder}data/${key}`),
    read: zip.read,
  };
}

/** `PROTO 2, LONG1` and the 10 bytes of 0x1950a86a20f9469cfc6c: how files before PyTorch 1.6 start. */
const LEGACY = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** @param start the file's first bytes, up to 512. */
function refuseOthers(start: Uint8Array, fail: (what: string) => never): void {
  const startsWith = (...bytes: readonly number[]) => bytes.every((byte, i) => start[i] === byte);
  if (startsWith(0x50, 0x4b, 3, 4)) return;
  const cure = 'load it with PyTorch and torch.save it again, or convert it to safetensors';
  if (startsWith(...LEGACY)) fail(`is in PyTorch's legacy format (before 1.6, not a ZIP file); ${cure}`);
  if (new TextDecoder('latin1').decode(start.subarray(257, 262)) === 'ustar') {
    fail(`is a tar file, PyTorch's format before 0.1.10; ${cure}`);
  }
  if (start[0] === 0x80 && start[1] >= 2 && start[1] <= 5) {
    fail(
      'is a bare pickle, not what torch.save writes; load it with the program that wrote it, and torch.save the weights',
    );
  }
  fail('is no PyTorch checkpoint (it does not start as a ZIP file); is the download complete?');
}
