/**
 * What the training kernels (`assembly/`) and their callers agree on, beyond what `../layout.ts` says. Plain integers
 * alone, in bytes.
 */

// Descriptor of the way back through a function of two: rows of neighbours, along which an input moves or stands.
export const BACK_ROWS = 0;
/** Numbers of a row. */
export const BACK_SIZE = 4;
/** Two 32-bit numbers a row: bytes from the frame's start to the row's first number of a, and of b. */
export const BACK_TABLE = 8;
/** 1 where a moves along a row; the same of b. */
export const BACK_A_MOVES = 12;
export const BACK_B_MOVES = 16;
export const BACK_A = 20;
export const BACK_B = 24;
/** Bytes of a frame; 0 for a constant. */
export const BACK_A_STEP = 28;
export const BACK_B_STEP = 32;
export const BACK_DY = 36;
/** 0 where nobody asks. */
export const BACK_DA = 40;
export const BACK_DB = 44;
export const BACK_BYTES = 48;
