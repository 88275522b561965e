import { createRequire } from 'node:module';
import type * as wavefile from 'wavefile';

/** The package wavefile, as an oracle. Its ES module form has no names that the type checker knows. */
export const { WaveFile } = createRequire(import.meta.url)('wavefile') as typeof wavefile;
