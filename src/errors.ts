/**
 * Every error that statewave throws on purpose. The message names the value, the place and the cure;
 * the class says which kind of mistake it was, so that a program can tell them apart.
 */
export class StatewaveError extends Error {
  override name = 'StatewaveError';
}

/** A model that cannot be built or run as asked: wrong shapes, mixed rates, a look-ahead that nobody allowed. */
export class GraphError extends StatewaveError {
  override name = 'GraphError';
}

/** A parameter that is missing, superfluous, of the wrong shape, or not finite. */
export class ParameterError extends StatewaveError {
  override name = 'ParameterError';
}

/** An argument outside what the function is defined for. */
export class ArgumentError extends StatewaveError {
  override name = 'ArgumentError';
}

/** A file, or a stream of bytes, that is not what it says it is. */
export class FormatError extends StatewaveError {
  override name = 'FormatError';
}

/** Input to a running stream that it refuses: wrong length, NaN under the policy `throw`, use after `end`. */
export class StreamError extends StatewaveError {
  override name = 'StreamError';
}

/** A snapshot that belongs to another model, another version, or has been damaged. */
export class SnapshotError extends StatewaveError {
  override name = 'SnapshotError';
}

/** A backend (WASM, gpu.js) that is missing here or refuses a job. */
export class BackendError extends StatewaveError {
  override name = 'BackendError';
}

/** A training run that can't go on: a loss that is no number any more, a checkpoint of another run. */
export class TrainingError extends StatewaveError {
  override name = 'TrainingError';
}
