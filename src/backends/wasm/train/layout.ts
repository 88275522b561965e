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

// The scan in chunks, see `assembly/train/chunks.ts`.
/** L: frames of a chunk. */
export const CHUNK = 32;
/** R: chunks that pass together, and so frames of a tile. */
export const CHUNKS = 16;
export const CHUNK_TILE = 512;
/** Bytes of a row of vectors, one a chunk. */
export const CHUNK_ROW = 256;
/** Groups of four channels whose numbers share a line of the cache. */
export const CHUNK_GROUPS = 4;
/** Tiles after which sums over frames go on in float64. */
export const CHUNK_WIDEN = 64;

// Descriptor.
export const CHUNK_CHANNELS = 0;
export const CHUNK_MODES = 4;
/** 2 for complex modes, else 1. */
export const CHUNK_PARTS = 8;
/** D: modes × parts, in whole fours. */
export const CHUNK_DIMS = 12;
/** Tables of every group: V, Vᵀ, W, Wᵀ, T, Tᵀ. */
export const CHUNK_TABLES = 16;
/** Ā^L of every group and mode in float64: re, im. */
export const CHUNK_POWERS = 20;
/** Sums in float64 of every group: dV, dW, dT, each (rows × columns × 4 lanes). */
export const CHUNK_SUMS = 24;
/** Sums of dĀ^L, as `CHUNK_POWERS`. */
export const CHUNK_POWER_SUMS = 28;
/** States before every tile, as `CHUNK_POWERS`: (groups × tiles). */
export const CHUNK_KEPT = 32;
export const CHUNK_SCRATCH = 36;
export const CHUNK_INPUT = 40;
export const CHUNK_OUTPUT = 44;
/** 0 where nobody asks. */
export const CHUNK_D_INPUT = 48;
export const CHUNK_D_OUTPUT = 52;
/** 1 where the gradients of the coefficients are asked for. */
export const CHUNK_WANTED = 56;
/** States that a sequence goes on from, and those behind its last whole chunk: as `CHUNK_POWERS`. */
export const CHUNK_BEGIN = 60;
export const CHUNK_END = 64;
export const CHUNK_BYTES = 80;

// Gated cells (LSTM, GRU), see `assembly/train/lstm.ts` and `gru.ts`.
/** Frames between two states that are kept. */
export const CELL_BLOCK = 128;
export const CELL_UNITS = 0;
export const CELL_GX = 4;
/** W_hhᵀ (H × gates·H) and W_hh. */
export const CELL_TRANSPOSED = 8;
export const CELL_WEIGHT = 12;
/** 0 for none. */
export const CELL_BIAS = 16;
export const CELL_OUTPUT = 20;
export const CELL_KEPT = 24;
export const CELL_SCRATCH = 28;
/** The state before frame 0 (for an LSTM h, then c), and where the last one goes. */
export const CELL_BEGIN = 32;
export const CELL_END = 36;
export const CELL_D_OUTPUT = 40;
/** 0 where nobody asks. */
export const CELL_D_GX = 44;
/** Sums in float32 and in float64 of dW and of db. */
export const CELL_WEIGHT_SUMS = 48;
export const CELL_D_WEIGHT = 52;
export const CELL_BIAS_SUMS = 56;
export const CELL_D_BIAS = 60;
/** Where the gradient of the state before frame 0 is left, as CELL_BEGIN. */
export const CELL_D_BEGIN = 64;
export const CELL_BYTES = 80;

// The matrix scan, see `assembly/train/matrix.ts`.
/** Frames between two states that are kept. */
export const STATE_BLOCK = 64;
export const STATE_HEADS = 0;
export const STATE_KEYS = 4;
export const STATE_VALUES = 8;
/** Outer products a frame. */
export const STATE_RANK = 12;
/** 1 where the state is read before its update. */
export const STATE_BEFORE = 16;
/** 1 where there are a and b. */
export const STATE_DELTA = 20;
/** Bytes from one key's decay to the next; 0 where one number serves all. */
export const STATE_DECAY_STEP = 24;
/** States before the first frame, and behind the last: heads × keys × values in whole vectors. */
export const STATE_BEGIN = 28;
export const STATE_END = 32;
export const STATE_KEPT = 36;
export const STATE_SCRATCH = 40;
export const STATE_OUTPUT = 44;
export const STATE_RECORDS = 48;

// One record for each operand: q, k, v, decay, a, b.
export const STATE_RECORD_BYTES = 24;
/** Address at frame 0; 0 for an operand that is absent. */
export const STATE_SOURCE = 0;
/** Bytes of a frame; 0 for a constant. */
export const STATE_STEP = 4;
/** Address of one 32-bit number a head: the bytes from the frame's start. */
export const STATE_OFFSETS = 8;
/** Gradient at frame 0, of a constant its sums in float32; 0 where nobody asks. */
export const STATE_GRADIENT = 12;
/** Of a constant: its sums in float64, and how many. */
export const STATE_WIDE = 16;
export const STATE_COUNT = 20;
export const STATE_DESCRIPTOR_BYTES = 192;

// The selective scan, see `assembly/train/selective.ts`.
/** Frames of a tile, before each of which the states are kept. */
export const SELECT_TILE = 64;
export const SELECT_CHANNELS = 0;
export const SELECT_STATES = 4;
/** a of every group and state as vectors; the sums of its gradient in float64, four lanes each. */
export const SELECT_A = 8;
export const SELECT_A_SUMS = 12;
/** States before frame 0 and behind the last: a vector a group and state. */
export const SELECT_BEGIN = 16;
export const SELECT_END = 20;
export const SELECT_KEPT = 24;
export const SELECT_SCRATCH = 28;
/** At frame 0: u and dt (channels), b and c (states), y (channels). */
export const SELECT_U = 32;
export const SELECT_DT = 36;
export const SELECT_B = 40;
export const SELECT_C = 44;
export const SELECT_Y = 48;
/** Gradients likewise; 0 where nobody asks. SELECT_Y then is that of y. */
export const SELECT_D_U = 52;
export const SELECT_D_DT = 56;
export const SELECT_D_B = 60;
export const SELECT_D_C = 64;
export const SELECT_BYTES = 80;
