import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

/** A path from the project's root. */
export const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Writes a file in the project's own format, whole or not at all. */
export async function writeFormatted(path: string, text: string): Promise<void> {
  const file = fromRoot(path);
  writeWhole(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

/** Writes under another name and renames, so that nobody ever sees half of it. */
export function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, text);
  renameSync(part, file);
}
