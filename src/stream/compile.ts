import type { StreamBackend } from '../backends/backend.ts';
import { defaultBackend } from '../backends/wasm/index.ts';
import { GraphError } from '../errors.ts';
import { forStreaming, traceModel, type Model, type Precision } from '../signal/index.ts';
import type { Parameters } from './constants.ts';
import { StreamBank, type BankOptions } from './bank.ts';
import { buildProgram, type Program } from './program.ts';
import { Stream, type StreamOptions } from './stream.ts';
import { warmUp } from './warm-up.ts';

/** How a model becomes a program. */
interface ProgramChoice {
  /**
   * Hz at which the stream will run; by default the rate that the model was made for. Layers in continuous
   * time re-discretise; a model with a layer that counts frames is refused at another rate.
   */
  readonly sampleRate?: number | undefined;
  /** `auto` by default; see `Precision`. */
  readonly precision?: Precision | undefined;
  /** Takes one `dt` a frame at the port `dt`, relative to the model's own step, for irregular time. */
  readonly irregular?: boolean | undefined;
  /** Refuse a model that looks further ahead than this many input frames; 0 asks for a causal one. */
  readonly maxLatency?: number | undefined;
  /** Where the ops run: WASM for those that have kernels there, the reference for the rest, by default. */
  readonly backend?: StreamBackend | undefined;
  /**
   * Lets the engine optimise kernels that it has not met before, for some 50 ms at most, so that the first block costs
   * what later ones do. True by default.
   */
  readonly warmUp?: boolean | undefined;
}

export interface CompileOptions extends StreamOptions, ProgramChoice {}

export interface CompileBankOptions extends BankOptions, ProgramChoice {}

/**
 * A running stream of a model: parameters checked, coefficients discretised once in float64, memory laid out.
 *
 * @throws GraphError where the model cannot stream, looks too far ahead, or cannot follow `sampleRate`.
 * @throws ParameterError on a missing, superfluous, mis-shaped or non-finite parameter.
 * @example
 * const model = s4d({ features: 1, states: 16 });
 * const stream = compile(model, initialise(model, 1), { sampleRate: 48_000 });
 */
export function compile(model: Model, parameters: Parameters, options: CompileOptions = {}): Stream {
  const program = compileProgram(model, parameters, options);
  const stream = new Stream(program, options);
  if (options.warmUp ?? true) warmUp(stream, program.passFrames);
  return stream;
}

/**
 * Many streams of one model, with coefficients packed once and state of a few hundred bytes a stream: for thousands
 * of sensors. What it takes and gives is `compile`'s, stream for stream and bit for bit.
 *
 * @throws as `compile` does.
 * @example
 * const bank = compileBank(model, parameters, { irregular: true });
 * const id = bank.open();
 */
export function compileBank(
  model: Model,
  parameters: Parameters,
  options: CompileBankOptions = {},
): StreamBank {
  const program = compileProgram(model, parameters, options);
  if (options.warmUp ?? true) warmUp(new Stream(program, {}), program.passFrames);
  return new StreamBank(program, options);
}

function compileProgram(model: Model, parameters: Parameters, options: ProgramChoice): Program {
  const irregular = options.irregular ?? false;
  const graph = forStreaming(traceModel(model, irregular ? 'port' : 'constant'));
  const program = buildProgram(graph, parameters, {
    backend: options.backend ?? defaultBackend(),
    precision: options.precision ?? 'auto',
    sampleRate: options.sampleRate,
    irregular,
  });
  if (options.maxLatency !== undefined && program.latency > options.maxLatency) {
    const culprit = program.steps.find(({ node }) => program.schedule.latency(node.id) > options.maxLatency!);
    const { path, source } = culprit!.node;
    throw new GraphError(
      `${graph.name} looks ${program.latency} frames ahead, ${options.maxLatency} are allowed: ` +
        `${path} (${source.kind === 'op' ? source.op.name : source.kind}) is the first to go beyond; ` +
        'use causal layers, or allow a maxLatency of that',
    );
  }
  return program;
}
