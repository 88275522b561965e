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
/**
 * 1 where the output is Re Σ c x, 0 where it is the state; 2 where the channels' outputs are added up to one, since they
 * are the states of a single channel.
 */
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
/** Of the adjoint: the states before the first frame, as STATE has them; 0 for a fresh start. */
export const BEGIN = 60;
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
/** Quads from one of a group to its next: the first of all groups follow each other, then the second of all. */
export const QUAD_STRIDE = 36;
/** Quads of every group, where all have as many; else 0. */
export const QUADS = 40;
/** The shortest of all quads' periods. */
export const LEAST_PERIOD = 44;
export const CONTRACT_BYTES = 48;

/** Four narrow slots, Ā re, im, c re, im each. */
export const QUAD_BYTES = 256;
/** State of four narrow slots. */
export const QUAD_STATE_BYTES = 128;
/** Frames up to which each passes through all quads before the next: keeping a quad in registers does not pay yet. */
export const SINGLE_FRAMES = 5;
/** Frames up to which all groups take a quad each before any takes the next: their sums don't wait for each other. */
export const FEW_FRAMES = 8;

// One record a group in the table.
export const NARROW_SLOTS = 0;
export const WIDE_SLOTS = 4;
export const NARROW_AT = 8;
export const NARROW_STATE_AT = 12;
export const WIDE_AT = 16;
export const WIDE_STATE_AT = 20;
/** A note a quad. */
export const NOTES_AT = 24;
export const TABLE_BYTES = 28;

/** The frames after which the state of a quad is flushed. */
export const NOTE_PERIOD = 0;
/** 1 where its imaginary parts stand over Im Ā: then its coefficients are Re Ā, (Im Ā)², Re c, Im c Im Ā. */
export const NOTE_SCALED = 4;
export const NOTE_BYTES = 8;

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

// Kernels of the recurrences and attentions of published networks, by number as those above.
export const KERNEL_SELECTIVE = 32;
export const KERNEL_LSTM = 33;
export const KERNEL_GRU = 34;
export const KERNEL_ATTEND = 35;
export const KERNEL_DPLR = 36;
export const KERNEL_ENDLESS = 37;
export const KERNEL_CHUNK_SCALE = 38;
export const KERNEL_WKV = 39;
export const KERNEL_ROTARY = 40;
export const KERNEL_SYSTEM = 41;
export const KERNEL_CLAMP = 42;
export const KERNEL_MAXIMUM = 43;
export const KERNEL_RUNNING_MAXIMUM = 44;
export const KERNEL_PHASE = 45;
export const KERNEL_POOL = 46;
export const KERNEL_RUNNING_MEAN = 47;
export const KERNEL_AT_START = 48;
export const KERNEL_STFT = 49;
export const KERNEL_INVERSE_STFT = 50;

// Further functions of one number.
export const SIN = 14;
export const COS = 15;

// Descriptor of the selective scan: real states whose step, input weights and read-out come by frame.
export const SELECTIVE_U = 0;
export const SELECTIVE_DT = 4;
export const SELECTIVE_B = 8;
export const SELECTIVE_C = 12;
export const SELECTIVE_OUTPUT = 16;
export const SELECTIVE_CHANNELS = 20;
export const SELECTIVE_STATES = 24;
/** Bytes of a frame of dt; neighbouring channels that share one of its numbers. */
export const SELECTIVE_DT_STEP = 28;
export const SELECTIVE_DT_SPAN = 32;
/** Bytes of a frame (0 for a constant), and neighbouring channels, a multiple of 4, that share a row of states. */
export const SELECTIVE_B_STEP = 36;
export const SELECTIVE_B_SPAN = 40;
export const SELECTIVE_C_STEP = 44;
export const SELECTIVE_C_SPAN = 48;
/** a log₂e, a vector a slot; all ≤ 0. */
export const SELECTIVE_A = 52;
/** A vector a slot. */
export const SELECTIVE_STATE = 56;
/** Three tiles of vectors. */
export const SELECTIVE_WORK = 60;
/** float32: the least dt, so that dt a log₂e stays below 2⁷. */
export const SELECTIVE_LEAST_DT = 64;
export const SELECTIVE_BYTES = 80;

// Descriptor of the gated cells. A gate's rows are padded to whole vectors, a matrix's to whole panels.
export const CELL_INPUT = 0;
export const CELL_OUTPUT = 4;
export const CELL_UNITS = 8;
/** Units, padded to a multiple of 4. */
export const CELL_PADDED = 12;
/** The recurrent matrix in panels of 16 rows; of a GRU that of r and z, then that of n. */
export const CELL_WEIGHTS = 16;
/** A number a row. */
export const CELL_BIAS = 20;
/** Panels of the first matrix, and of the second. */
export const CELL_PANELS = 24;
export const CELL_MORE_PANELS = 28;
/** The canonical sections, and the initial state where there is one (else 0). */
export const CELL_H = 32;
export const CELL_C = 36;
export const CELL_STARTED = 40;
export const CELL_H0 = 44;
export const CELL_C0 = 48;
/** A number a row, then one a unit. */
export const CELL_SCRATCH = 52;
/** Of a GRU: 1 where r ⊙ h is taken before the product. */
export const CELL_RESET_BEFORE = 56;
export const CELL_BYTES = 64;

// Descriptor of the sliding attention.
export const ATTEND_Q = 0;
export const ATTEND_K = 4;
export const ATTEND_V = 8;
export const ATTEND_OUTPUT = 12;
export const ATTEND_HEADS = 16;
export const ATTEND_GROUPS = 20;
export const ATTEND_KEYS = 24;
export const ATTEND_VALUES = 28;
export const ATTEND_WINDOW = 32;
/** float32 */
export const ATTEND_SCALE = 36;
/** The canonical section: frames seen, in float64. */
export const ATTEND_SEEN = 40;
/** A number a frame of the window, padded to whole vectors. */
export const ATTEND_WEIGHTS = 44;
export const ATTEND_BYTES = 48;

// Descriptor of the diagonal plus low rank scan; two channels in each vector of float64.
export const DPLR_INPUT = 0;
export const DPLR_OUTPUT = 4;
export const DPLR_CHANNELS = 8;
export const DPLR_STATES = 12;
export const DPLR_RANK = 16;
/** For each pair of channels and each state: a, b, c, and for each rank F, 2G; re and im. */
export const DPLR_COEFFICIENTS = 20;
/** For each pair of channels and each state re and im. */
export const DPLR_STATE = 24;
/** 1 where the state is rounded to float32. */
export const DPLR_ROUNDED = 28;
/** A vector a rank. */
export const DPLR_FEEDBACK = 32;
export const DPLR_BYTES = 48;

/** Frames after which float64 state is flushed; the op's `FLUSH_FRAMES`. */
export const WIDE_FLUSH = 64;

// Descriptor of the endless matrix scan: records of operands as those of the matrix scan.
export const ENDLESS_STATE = 0;
export const ENDLESS_OUTPUT = 4;
export const ENDLESS_HEADS = 8;
export const ENDLESS_KEYS = 12;
export const ENDLESS_VALUES = 16;
export const ENDLESS_BEFORE = 20;
export const ENDLESS_DECAY_STEP = 24;
export const ENDLESS_ROUNDED = 28;
/** v of one frame and head in float64, padded to whole vectors; then the same of y. */
export const ENDLESS_SCRATCH = 32;
export const ENDLESS_OPERANDS = 48;
export const ENDLESS_BYTES = 112;

// Descriptor of the chunk-wise scale of retention.
export const CHUNK_Q = 0;
export const CHUNK_K = 4;
export const CHUNK_V = 8;
export const CHUNK_OUTPUT = 12;
export const CHUNK_HEADS = 16;
export const CHUNK_KEYS = 20;
export const CHUNK_VALUES = 24;
export const CHUNK_FRAMES = 28;
/** γ in float32 for each head; √sᵢ for each head and place of the chunk. */
export const CHUNK_GAMMA = 32;
export const CHUNK_ROOTS = 36;
/** The canonical sections. */
export const CHUNK_STATE = 40;
export const CHUNK_PAST = 44;
export const CHUNK_CROSS = 48;
/** float64: number of the first frame. */
export const CHUNK_FIRST = 56;
export const CHUNK_BYTES = 64;

// Descriptor of RWKV-4's mean.
export const WKV_KEY = 0;
export const WKV_VALUE = 4;
export const WKV_OUTPUT = 8;
export const WKV_CHANNELS = 12;
/** A float64 a channel: decay, bonus; then the canonical sections. */
export const WKV_DECAY = 16;
export const WKV_BONUS = 20;
export const WKV_NUM = 24;
export const WKV_DEN = 28;
export const WKV_MAX = 32;
export const WKV_BYTES = 48;

// Descriptor of the rotary position.
export const ROTARY_INPUT = 0;
export const ROTARY_OUTPUT = 4;
export const ROTARY_ROWS = 8;
export const ROTARY_PAIRS = 12;
/** 1 where a pair are neighbours, 0 where it has one number of each half. */
export const ROTARY_INTERLEAVED = 16;
/** Two 64-bit numbers a pair: turns a frame in units of 2⁻⁶⁴, and what is left of that in units of 2⁻¹²⁸. */
export const ROTARY_TURNS = 20;
/** cos and sin of one frame, a number a pair each, padded to whole vectors. */
export const ROTARY_PHASES = 24;
/** float64: number of the first frame. */
export const ROTARY_FIRST = 32;
export const ROTARY_BYTES = 48;

// Descriptor of a dense discrete-time system in float64; M = [C D; A B], columns of [x; u], two rows a vector.
export const SYSTEM_INPUT = 0;
export const SYSTEM_OUTPUT = 4;
export const SYSTEM_STATES = 8;
export const SYSTEM_INPUTS = 12;
export const SYSTEM_OUTPUTS = 16;
/** Outputs and states, each padded to whole vectors, in vectors. */
export const SYSTEM_OUTPUT_VECTORS = 20;
export const SYSTEM_STATE_VECTORS = 24;
export const SYSTEM_MATRIX = 28;
/** The canonical section; 1 where it is float32. */
export const SYSTEM_STATE = 32;
export const SYSTEM_ROUNDED = 36;
/** [x; u], then the next x, in float64. */
export const SYSTEM_SCRATCH = 40;
export const SYSTEM_BYTES = 48;

// Descriptor of what works on the elements of frames that follow each other, with state or bounds of its own.
export const EACH_INPUT = 0;
export const EACH_OUTPUT = 4;
/** Numbers of a frame. */
export const EACH_WIDTH = 8;
/** The canonical section, where there is one. */
export const EACH_STATE = 12;
/** float32: bounds. */
export const EACH_LOW = 16;
export const EACH_HIGH = 20;
/** Frames of a window and from window to window, of a pool; 1 where the largest is wanted. */
export const EACH_SIZE = 24;
export const EACH_STRIDE = 28;
export const EACH_IS_MAX = 32;
/** float64: frames of memory, frames that the prior counts for, number of the first frame. */
export const EACH_MEMORY = 40;
export const EACH_PRIOR = 48;
export const EACH_FIRST = 56;
export const EACH_BYTES = 64;

// Descriptor of the short-time spectra, both ways.
export const STFT_INPUT = 0;
/** Of the inverse: 1 for every spectrum there is. */
export const STFT_PRESENT = 4;
export const STFT_OUTPUT = 8;
export const STFT_CHANNELS = 12;
export const STFT_SIZE = 16;
export const STFT_HOP = 20;
/** float64: N numbers. */
export const STFT_WINDOW = 24;
/** Length M of the complex transforms, a power of two, and its logarithm. */
export const STFT_LENGTH = 28;
export const STFT_BITS = 32;
/** e^(−2πik/M), k < M/2, in pairs of float64. */
export const STFT_ROOTS = 36;
/** Two times M pairs: work and its other half. */
export const STFT_WORK = 40;
/** 1 where an even N is a transform of N/2 pairs: e^(−2πik/N), k ≤ N/4 … ; 0 where it is none. */
export const STFT_HALF = 44;
/** e^(−2πik/N), k ≤ N/2. */
export const STFT_TWIST = 48;
/** Of lengths that are no powers of two, else 0: the chirp (pairs), and the kernel's spectrum (M pairs, over M). */
export const STFT_CHIRP = 52;
export const STFT_KERNEL = 56;
/** Complex numbers to be transformed: N/2 or N. */
export const STFT_POINTS = 60;
/** The canonical section of the inverse: what later spectra add to. */
export const STFT_OVERLAP = 64;
/** Room for N + 1 and for hop numbers in float64. */
export const STFT_FRAME = 68;
export const STFT_WEIGHT = 72;
/** Spectra before the current one that reach into its hop. */
export const STFT_PAST = 76;
export const STFT_BYTES = 80;

// A plan: the nodes of a graph, in an order in which inputs come before their readers.
export const PLAN_NODES = 0;
export const PLAN_RECORDS = 4;
/** A word that nobody reads. */
export const PLAN_SCRATCH = 8;
export const PLAN_BYTES = 16;

// One record a node; see `WalkNode`.
export const NODE_KERNEL = 0;
export const NODE_DESCRIPTOR = 4;
export const NODE_COUNTS = 8;
export const NODE_MARKS = 12;
export const NODE_BUFFER = 16;
export const NODE_FRAME = 20;
export const NODE_CAPACITY = 24;
export const NODE_RIGHT = 28;
export const NODE_SOFT = 32;
export const NODE_TRANSIENT = 36;
export const NODE_STRIDE = 40;
export const NODE_EMIT = 44;
export const NODE_SURPLUS = 48;
export const NODE_AT_END = 52;
export const NODE_INPUTS = 56;
export const NODE_INPUT_COUNT = 60;
export const NODE_READERS = 64;
export const NODE_READER_COUNT = 68;
export const NODE_TIMES = 72;
/** period − 1 */
export const NODE_MASK = 76;
/** Address of the word that receives the output's address. */
export const NODE_OUTPUT = 80;
/** Address of the float64 that receives the first firing's number; 0 where there is none. */
export const NODE_FIRST = 84;
export const NODE_INDEX = 88;
/** 1 where the node and its inputs are transient and it fires once a frame: everything begins at its buffer's start. */
export const NODE_PLAIN = 92;
export const NODE_BYTES = 96;

// One record for each input that varies.
export const INPUT_SOURCE = 0;
export const INPUT_SIZE = 4;
export const INPUT_LEFT = 8;
export const INPUT_RIGHT = 12;
export const INPUT_FIELD = 16;
export const INPUT_BYTES = 20;

// One record for each reader.
export const READER_NODE = 0;
export const READER_SIZE = 4;
export const READER_LEFT = 8;
export const READER_BYTES = 12;

// Counts and marks of a node, float64: exact to 2^53.
export const PRODUCED = 0;
export const FIRED = 8;
export const COUNT_BYTES = 16;
export const BASE = 0;
export const DRAINED = 8;
export const ENDED = 16;
export const MARK_BYTES = 24;

// Descriptor of a bank: what happens to a batch of streams that take turns in one plan.
export const BANK_PLAN = 0;
/** Input frames of a pass. */
export const BANK_PASS = 4;
/** One 32-bit number a stream of the batch: its slot; then the frames written to the first output. */
export const BANK_IDS = 8;
export const BANK_WRITTEN = 12;
export const BANK_SLOTS = 16;
export const BANK_SLOT_BYTES = 20;
/** What a stream remembers stands here while it runs, and at its slot's start while others do. */
export const BANK_MEMORY = 24;
export const BANK_MEMORY_BYTES = 28;
/** Nodes of which frames are kept. */
export const BANK_KEPT = 32;
export const BANK_KEPT_COUNT = 36;
export const BANK_INPUTS = 40;
export const BANK_INPUT_COUNT = 44;
export const BANK_OUTPUTS = 48;
export const BANK_OUTPUT_COUNT = 52;
/** 1 where the last value of every input channel is remembered. */
export const BANK_HOLDS = 56;
export const BANK_BYTES = 64;

// One record a kept node, an input or an output.
export const BANK_NODE = 0;
/** Of a kept node or an input: bytes from the slot's start to its frames, or to its last values in float64. */
export const BANK_OFFSET = 4;
/** Of an input or output: where the batch's first frame stands, and the frame that is next. */
export const BANK_FIRST = 8;
export const BANK_NEXT = 12;
export const BANK_RECORD_BYTES = 16;

// Descriptor of the scan of rules that look at both ends of a step, in float64.
export const KERNEL_HELD = 51;
export const HELD_U = 0;
/** 0 where the input is real. */
export const HELD_U_IM = 4;
export const HELD_OUTPUT = 8;
export const HELD_OUTPUT_STEP = 12;
export const HELD_CHANNELS = 16;
export const HELD_STATES = 20;
export const HELD_COMPLEX = 24;
export const HELD_CONTRACTED = 28;
export const HELD_ROUNDED = 32;
/** For each channel and pair of states: Ā, B̄, the previous input's B̄, c; re and im. */
export const HELD_COEFFICIENTS = 36;
export const HELD_RECORD_BYTES = 128;
/** The canonical sections. */
export const HELD_STATE = 40;
export const HELD_PAST = 44;
export const HELD_BYTES = 48;
