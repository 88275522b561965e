/**
 * What the kernels (AssemblyScript, `assembly/`) and their callers agree on: where things stand in memory.
 * Both languages read this file, so it holds plain integers alone. Sizes are in bytes, addresses 32 bits.
 *
 * | word | meaning |
 * | --- | --- |
 * | group | 4 neighbouring channels, one in each lane of a vector |
 * | slot | a group's vector of one state: 4 channels × 1 state |
 * | tile | up to 64 frames that are computed together; tiles end at absolute firings, multiples of 64 |
 * | narrow, wide | a slot in float32; in float64, because one of its 4 modes is slow |
 */

export const LANES = 4;
export const VECTOR = 16;

/** Frames of a tile; the op's `FLUSH_FRAMES`, since state is flushed where a tile ends. */
export const TILE = 64;

/** One tile of vectors, and the vector before it. */
export const TILE_BYTES = 1040;

/** Frames after which the general kernels flush float32 state; see `flushed`. */
export const FLUSH = 4;

/** State of a slot: re and im in float32 (the first half) or in float64. */
export const STATE_BYTES = 64;

/** Coefficients of a wide slot: Ā re, im, B̄ re, im in float64. */
export const WIDE_BYTES = 128;

/** Sums of a slot in float64. */
export const SUM_BYTES = 32;

// The families of methods, as `METHOD` has them.
export const GIVEN = 0;
export const RATIONAL = 1;
export const EXP_ONE = 2;
export const EXP_EXP = 3;
export const EXP_PHI1 = 4;

// Descriptor of the general kernels.
export const CHANNELS = 0;
export const STATES = 4;
export const COMPLEX = 8;
export const METHOD = 12;
/** float32 */
export const ALPHA = 16;
/** 1 where the output is Re Σ c x, 0 where it is the state. */
export const CONTRACTED = 20;
/** 1 where Ā and B̄ stand still. */
export const STILL = 24;
/** One byte a slot: 1 where it is wide. */
export const WIDE_FLAGS = 28;
export const WIDE_COEFFICIENTS = 32;
export const STATE = 36;
export const OUTPUT = 40;
/** Bytes of an output frame. */
export const OUTPUT_STEP = 44;
/** Tiles, see below. */
export const WORK = 48;
/** Of the adjoint: state at the start of every tile, for the states of one group. */
export const CHECKPOINTS = 52;
/** Of the adjoint: λ of the states of one group. */
export const LAMBDA = 56;
export const OPERANDS = 64;

// One record for each operand and for the coefficients made of them.
export const OPERAND_BYTES = 32;
/** Address at the first frame of this run; of a constant, its vectors for every slot. */
export const SOURCE = 0;
/** Bytes of a frame; 0 for a constant. */
export const STEP = 4;
/** Neighbouring channels that share a row. */
export const SPAN = 8;
/** 1, or N. */
export const COLUMNS = 12;
/** Bytes from slot to slot of a constant; 0 for a value that all share. */
export const SLOT_STEP = 16;
/** Set by `fetch`: where the tile's first vector stands, and how far apart its frames are. */
export const POINTER = 20;
export const STRIDE = 24;
/** Of the adjoint: the gradient's first frame, or a constant's sums; 0 where nobody asks. */
export const GRADIENT = 28;

// The operands, in the order of the records and of their tiles.
export const U = 0;
export const U_IM = 1;
export const A = 2;
export const A_IM = 3;
export const B = 4;
export const B_IM = 5;
export const C = 6;
export const C_IM = 7;
export const DT = 8;
export const ROLES = 9;
/** m = Ā − 1 */
export const M = 9;
export const M_IM = 10;
export const B_BAR = 11;
export const B_BAR_IM = 12;
/** g(z), the discretization's weight of the input */
export const G = 13;
export const G_IM = 14;
/** f′(z) and g′(z) */
export const F_SLOPE = 15;
export const F_SLOPE_IM = 16;
export const G_SLOPE = 17;
export const G_SLOPE_IM = 18;
export const RECORDS = 19;
export const DESCRIPTOR_BYTES = 672;

// Tiles behind those of the records.
export const X = 19;
export const X_IM = 20;
export const Y = 21;
export const LAMBDA_RE = 22;
export const LAMBDA_IM = 23;
/** dL/dy */
export const D_OUTPUT = 24;
/** Gradients of the records U … B_BAR_IM. */
export const GRADIENTS = 25;
export const GRADIENT_TILES = 13;
export const WORK_BYTES = 39520;

// Descriptor of the contracting kernel.
export const GROUPS = 0;
export const C_COMPLEX = 4;
export const C_INPUT = 8;
export const C_CHANNELS = 12;
export const C_OUTPUT = 16;
/** Lanes that share a channel's states among them: 1, 2 or 4. */
export const COPIES = 20;
/** Room for a tile of inputs and one of outputs where COPIES > 1. */
export const STAGED = 24;
export const TABLE = 28;
/** 1 where a quad's slots belong to four neighbouring groups, one each: a single state a channel. */
export const ACROSS = 32;
export const CONTRACT_BYTES = 48;

/** Four narrow slots, Ā re, im, c re, im each; then the frames after which their state is flushed, in 16 bytes. */
export const QUAD_BYTES = 272;
export const PERIOD = 256;

// One record a group in the table.
export const NARROW_SLOTS = 0;
export const WIDE_SLOTS = 4;
export const NARROW_AT = 8;
export const NARROW_STATE_AT = 12;
export const WIDE_AT = 16;
export const WIDE_STATE_AT = 20;
export const TABLE_BYTES = 24;

// Descriptor of the matrix scan.
export const MATRIX_HEADS = 0;
export const MATRIX_KEYS = 4;
export const MATRIX_VALUES = 8;
/** Outer products a frame. */
export const MATRIX_RANK = 12;
/** 1 where the state is read before its update. */
export const MATRIX_BEFORE = 16;
/** 1 where there are a and b. */
export const MATRIX_DELTA = 20;
/** Heads × keys × values in float32, as the op's section has them. */
export const MATRIX_STATE = 24;
export const MATRIX_OUTPUT = 28;
/** Bytes from one key's decay to the next; 0 where one number serves all keys. */
export const MATRIX_DECAY_STEP = 32;
export const MATRIX_OPERANDS = 48;

// One record for each operand, in the order q, k, v, decay, a, b.
export const MATRIX_OPERAND_BYTES = 16;
/** Address at the first frame of this run. */
export const MATRIX_SOURCE = 0;
/** Bytes of a frame; 0 for a constant. */
export const MATRIX_STEP = 4;
/** Address of one 32-bit number a head: the bytes from the frame's start to those of the head. */
export const MATRIX_OFFSETS = 8;
export const MATRIX_BYTES = 144;

/** Frames after which the matrix scan flushes its state; see `flushed`. */
export const MATRIX_FLUSH = 16;

// Descriptor of the matrix products: dense, convolution, transposed convolution.
export const LINEAR_GROUPS = 0;
/** Rows of the weight a group. */
export const LINEAR_ROWS = 4;
/** Channels a group, and taps, where every row has one channel of its own (depthwise). */
export const LINEAR_TAPS = 4;
export const LINEAR_CHANNELS = 8;
/** Stretches of neighbouring columns. */
export const LINEAR_SEGMENTS = 8;
/** Two 32-bit numbers a segment: bytes from the window's start, columns. */
export const LINEAR_TABLE = 12;
export const LINEAR_WEIGHTS = 16;
/** One number a row, the rows of a group padded to whole vectors. */
export const LINEAR_BIAS = 20;
export const LINEAR_INPUT = 24;
export const LINEAR_OUTPUT = 28;
/** Bytes from firing to firing. */
export const LINEAR_INPUT_STEP = 32;
export const LINEAR_OUTPUT_STEP = 36;
/** Bytes from a group's channels to the next group's; from tap to tap of a depthwise convolution. */
export const LINEAR_GROUP_STEP = 40;
/** Room for the rows of four frames. */
export const LINEAR_SCRATCH = 44;
export const LINEAR_BYTES = 48;

/** Rows of a panel: 4 vectors, which share every number of the input. */
export const PANEL = 16;
/** Columns whose products are added before they join the sum of all: keeps long sums exact. */
export const SEGMENT = 256;

// Descriptor of the normalisation.
export const NORM_GROUPS = 0;
export const NORM_SIZE = 4;
/** 1 where the mean is subtracted. */
export const NORM_CENTRE = 8;
export const NORM_INPUT = 12;
export const NORM_OUTPUT = 16;
/** float64 */
export const NORM_EPS = 24;
export const NORM_BYTES = 32;

// Functions of one number.
export const NEG = 0;
export const ABS = 1;
export const SQUARE = 2;
export const SQRT = 3;
export const RECIPROCAL = 4;
export const EXP = 5;
export const LOG = 6;
export const TANH = 7;
export const RELU = 8;
export const SIGMOID = 9;
export const SOFTPLUS = 10;
export const SILU = 11;
export const GELU = 12;
export const GELU_TANH = 13;

// Functions of two; the last two with their arguments exchanged.
export const ADD = 0;
export const SUB = 1;
export const MUL = 2;
export const DIV = 3;
export const SUB_FROM = 4;
export const DIV_INTO = 5;

// Descriptor of what only moves numbers about within a frame.
export const MOVE_RUNS = 0;
export const MOVE_COUNT = 4;
export const MOVE_OUTPUT = 8;
export const MOVE_OUTPUT_STEP = 12;
/** Two 32-bit numbers an input: its address, and the bytes of a frame (0 for a constant). */
export const MOVE_INPUTS = 16;

// One record a run of neighbours; all but the input's number in bytes.
export const MOVE_RUN_INPUT = 0;
export const MOVE_RUN_FROM = 4;
export const MOVE_RUN_TO = 8;
export const MOVE_RUN_SIZE = 12;
export const MOVE_RUN_BYTES = 16;

// Descriptor of a function of two signals that broadcast: rows of neighbours, along which an input moves or stands.
export const ROWS_COUNT = 0;
/** Numbers of a row. */
export const ROWS_SIZE = 4;
/** Two 32-bit numbers a row: bytes from the frame's start to the row's first number of a, and of b. */
export const ROWS_TABLE = 8;
/** 1 where a moves along a row; the same of b. */
export const ROWS_A_MOVES = 12;
export const ROWS_B_MOVES = 16;
export const ROWS_A = 20;
export const ROWS_B = 24;
/** Bytes of a frame. */
export const ROWS_A_STEP = 28;
export const ROWS_B_STEP = 32;
export const ROWS_OUTPUT = 36;
export const ROWS_CODE = 40;
export const ROWS_BYTES = 48;

// The kernels that a plan calls, by number. Every one takes a descriptor, a count and a phase (see `KernelCall`).
/** None: an input of the model. */
export const KERNEL_NONE = 0;
/** JavaScript runs it, on the same memory. */
export const KERNEL_HOST = 1;
export const KERNEL_CONTRACT = 2;
export const KERNEL_FORWARD = 3;
export const KERNEL_MATRIX_SCAN = 4;
export const KERNEL_LINEAR = 5;
export const KERNEL_LINEAR_BY_ROWS = 6;
export const KERNEL_DEPTHWISE = 7;
export const KERNEL_NORMALISE = 8;
export const KERNEL_MOVE = 9;
export const KERNEL_UNARY = 10;
export const KERNEL_BINARY = 11;
export const KERNEL_BINARY_CONSTANT = 12;
export const KERNEL_BINARY_ROWS = 13;

// Descriptor of the functions of one and two numbers.
export const ELEMENTS_CODE = 0;
export const ELEMENTS_A = 4;
/** Of a constant: its vectors. */
export const ELEMENTS_B = 8;
export const ELEMENTS_OUTPUT = 12;
/** Bytes of a constant's vectors. */
export const ELEMENTS_PERIOD = 16;
export const ELEMENTS_BYTES = 32;
