import { GraphError } from '../../src/errors.ts';
import { traceModel, type Model } from '../../src/signal/index.ts';
import { checkParameters } from '../../src/stream/constants.ts';
import { compile, type Diagnostic, type Parameters, type Stream } from '../../src/stream/index.ts';
import type { SsmOptions } from './options.ts';

/** Makes streams of one model, each with a state of its own. */
export interface Births {
  /** A fresh stream at `sampleRate` Hz, or at the model's own rate. Compiles once a rate. */
  stream(sampleRate: number | undefined): Stream;
  /** Diagnostics of the `process` call that has just returned; take them out. */
  readonly notes: Diagnostic[];
}

/**
 * Checks model and parameters at once, so that a mistake shows where it was made and not in some later
 * `error()`; and copies the parameters, so that changing them later changes nothing here.
 *
 * @throws GraphError, ParameterError as `compile` does.
 */
export function births(model: Model, parameters: Parameters, options: SsmOptions): Births {
  const graph = traceModel(model, options.irregular === true ? 'port' : 'constant');
  if (graph.outputs.size !== 1) {
    throw new GraphError(
      `${model.name} has the outputs ${[...graph.outputs.keys()].join(', ')}, but an operator emits one; ` +
        'compile() the model and read its ports, or give it a single output',
    );
  }
  const checked = checkParameters(graph, parameters);
  const notes: Diagnostic[] = [];
  const { backend, irregular, maxLatency, nonFinite, precision } = options;
  const compiled = new Map<number | undefined, Stream>();
  const prototype = (sampleRate: number | undefined): Stream => {
    let stream = compiled.get(sampleRate);
    if (stream === undefined) {
      stream = compile(model, checked, {
        sampleRate,
        precision,
        irregular,
        maxLatency,
        backend,
        ...(nonFinite === undefined ? {} : { nonFinite }),
        onDiagnostic: (diagnostic) => notes.push(diagnostic),
      });
      compiled.set(sampleRate, stream);
    }
    return stream;
  };
  if (options.sampleRate !== undefined) prototype(options.sampleRate);
  return { stream: (sampleRate) => prototype(sampleRate).fork(), notes };
}
