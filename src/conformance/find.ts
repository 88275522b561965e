import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ArgumentError } from '../errors.ts';

/** A golden file and how its case is called. */
export interface Found {
  readonly path: string;
  readonly name: string;
}

const EXTENSION = '.safetensors';

/**
 * Every golden file of the given paths, in the order of the paths, those of a folder sorted. A folder is searched
 * with all its folders; a file is taken whatever it is called.
 *
 * A case is called by its path, without the extension, from the folder `golden` that it stands in, or where there
 * is none from the folder above the one given: `s4d/minimal`.
 *
 * @throws ArgumentError for a path that does not exist, and where there is nothing at all.
 */
export function findGolden(paths: readonly string[]): Found[] {
  const found = paths.flatMap((given) => {
    const path = resolve(given);
    const kind = statSync(path, { throwIfNoEntry: false });
    if (kind === undefined)
      throw new ArgumentError(`${given}: there is no such file or folder; give the path of golden files`);
    if (!kind.isDirectory()) return [{ path, name: nameOf(path, dirname(path)) }];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((entry) => entry.endsWith(EXTENSION))
      .map((entry) => join(path, entry))
      .filter((file) => statSync(file).isFile())
      .toSorted()
      .map((file) => ({ path: file, name: nameOf(file, path) }));
  });
  if (found.length === 0) {
    throw new ArgumentError(
      `no golden files (*${EXTENSION}) in ${paths.join(', ') || 'no path at all'}; give a file or a folder of them`,
    );
  }
  return found;
}

function nameOf(file: string, folder: string): string {
  const bare = file.endsWith(EXTENSION) ? file.slice(0, -EXTENSION.length) : file;
  const parts = bare.split(sep);
  const at = parts.lastIndexOf('golden');
  if (at >= 0 && at < parts.length - 1) return parts.slice(at + 1).join('/');
  return [basename(folder), ...relative(folder, bare).split(sep)].join('/');
}
