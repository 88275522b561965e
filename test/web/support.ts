import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export { pageModels, randomModels, root, shippedModels, weightsIn } from './fixtures.ts';

/** A folder that is gone after the tests of this file. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'statewave-web-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
