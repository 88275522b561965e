import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { missingShared, shared } from './shared.ts';

/**
 * The golden files of a folder, name and path: all of them where ../shared is present, else the few that the
 * project carries in fixtures/golden.
 */
export function goldenFiles(folder: string): { name: string; path: string }[] {
  const carried = fileURLToPath(new URL(`../../fixtures/golden/${folder}`, import.meta.url));
  const root = missingShared('golden', folder) ? carried : shared('golden', folder);
  return readdirSync(root)
    .filter((name) => name.endsWith('.safetensors'))
    .toSorted()
    .map((name) => ({ name: name.replace('.safetensors', ''), path: join(root, name) }));
}
