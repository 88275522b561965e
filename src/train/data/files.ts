/** Lists of recordings: folders, patterns and lists become sorted paths. */
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ArgumentError } from '../../errors.ts';

/** Endings that `openAudio` reads. */
const AUDIO = /\.(wav|wave|flac|ogg|oga)$/i;
const PATTERN = /[*?[{]/;

export interface FileOptions {
  /** Keeps the paths that it matches; text is a regular expression. */
  readonly include?: RegExp | string | undefined;
  /** Leaves out the paths that it matches. */
  readonly exclude?: RegExp | string | undefined;
}

/**
 * Paths of recordings in the order of their code units (the same on every machine), each once.
 *
 * @param from a folder (all recordings in and below it), a pattern (`data/** /*.flac`), a file, a text file with a path
 *   a line (`.txt`, relative to the text file's folder), or a list of those.
 * @throws ArgumentError where one is missing, or leads to no recording.
 * @example
 * const paths = audioFiles(['recordings', 'more/*.flac'], { exclude: '/broken/' });
 */
export function audioFiles(from: string | readonly string[], options: FileOptions = {}): string[] {
  const include = regularExpression(options.include, 'include');
  const exclude = regularExpression(options.exclude, 'exclude');
  const found = new Set<string>();
  for (const place of typeof from === 'string' ? [from] : from) {
    for (const path of pathsOf(place)) {
      if (include?.test(path) === false || exclude?.test(path) === true) continue;
      found.add(path);
    }
  }
  if (found.size === 0) {
    const kept = include || exclude ? ' that include and exclude let through' : '';
    throw new ArgumentError(
      `no recordings in ${typeof from === 'string' ? from : `[${from.join(', ')}]`}${kept}; ` +
        'give folders, files or patterns with WAV, FLAC or Ogg Vorbis files',
    );
  }
  return [...found].sort(byCodeUnits);
}

function pathsOf(place: string): string[] {
  if (!exists(place)) {
    if (PATTERN.test(place)) return globSync(place).map((path) => resolve(path));
    throw new ArgumentError(
      `${resolve(place)}: there is no such file or folder; give the path of the recordings`,
    );
  }
  if (statSync(place).isDirectory()) {
    return readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && AUDIO.test(entry.name))
      .map((entry) => resolve(join(entry.parentPath, entry.name)));
  }
  if (!/\.txt$/i.test(place)) return [resolve(place)];
  return readFileSync(place, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const path = resolve(place, '..', line);
      if (!exists(path)) throw new ArgumentError(`${path}: named in ${place}, but there is no such file`);
      return path;
    });
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Not the locale's order: that differs among machines. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A regular expression from text, for configuration files. @throws ArgumentError */
export function regularExpression(given: RegExp | string | undefined, name: string): RegExp | undefined {
  if (given === undefined) return undefined;
  try {
    // Without "g" and "y", whose `test` remembers where it was.
    return given instanceof RegExp
      ? new RegExp(given.source, given.flags.replace(/[gy]/g, ''))
      : new RegExp(given);
  } catch (cause) {
    throw new ArgumentError(`${name}: ${(cause as Error).message}; give a regular expression`, { cause });
  }
}

/**
 * What a regular expression finds in a file's name: its first group that matched, or else the whole match.
 *
 * @throws ArgumentError where it finds nothing.
 * @example nameOf('data/7_jackson_32.wav', /^(\d)_/, 'label') // '7'
 */
export function nameOf(path: string, expression: RegExp, what: string): string {
  const match = expression.exec(basename(path));
  if (match === null) {
    throw new ArgumentError(
      `${path}: the name has no ${what} that ${String(expression)} finds; change the expression, or leave the file out (exclude)`,
    );
  }
  return match.slice(1).find((group) => group !== undefined) ?? match[0];
}
