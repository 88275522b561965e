import { allocations } from './allocations.ts';
import type { Check } from './check.ts';
import { firstBlock } from './first-block.ts';
import { silence } from './silence.ts';

/** All checks, in the order of the page. */
export const checks: readonly Check[] = [firstBlock, silence, allocations];
