import type { Frame } from '../../signal/index.ts';

/** Bytes from the arena's start to a window's first number, which is in float32. */
export const addressOf = ({ data, at }: Frame): number => data.byteOffset + 4 * at;
