import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** The folder of test material beside the project, or where STATEWAVE_SHARED says. */
export const sharedRoot =
  process.env['STATEWAVE_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));

/** A path below the shared folder. */
export const shared = (...parts: string[]): string => join(sharedRoot, ...parts);

/**
 * For `describe.skipIf(...missing('vectors/x'))`-style use: true where the material is absent.
 * The suite's name should say `(needs ../shared)`, so that a skip carries its reason.
 */
export const missingShared = (...parts: string[]): boolean => !existsSync(shared(...parts));
