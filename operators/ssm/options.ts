import type { Observable, Observer } from 'rxjs';
import type { CompileOptions, Diagnostic, SetOptions, Stream } from '../../src/stream/index.ts';

/** A parameter or control on its way to another value: the arguments of `Stream.set`. */
export interface ControlChange extends SetOptions {
  readonly name: string;
  readonly value: number | ArrayLike<number>;
}

/** How `ssm` runs its model. */
export interface SsmOptions extends Omit<CompileOptions, 'onDiagnostic'> {
  /**
   * Hz of the values that come in. Without it the rate that the blocks carry (see `withFormat`), without that
   * the model's own. Blocks that carry another rate than the one said are refused.
   */
  readonly sampleRate?: number | undefined;
  /**
   * Channels of the blocks; without it those that the blocks carry, without that what the model takes. A model
   * of one channel runs on more with one state a channel.
   */
  readonly channels?: number | undefined;
  /** Ends the stream with `signal.reason` as the error. */
  readonly signal?: AbortSignal | undefined;
  /** Where to go on from: a snapshot, or one for each channel where one state a channel runs. */
  readonly snapshot?: Uint8Array | readonly Uint8Array[] | undefined;
  /**
   * Called with the running stream when it is born, once for each channel that has a state of its own: for
   * `snapshot()`, and for looking at `latency` and `framesSeen`. Leave feeding it to the operator.
   */
  readonly onStream?: ((stream: Stream, channel: number) => void) | undefined;
  /**
   * Told of every block with values that were not finite and were replaced (`nonFinite`). Never completed and
   * never told of errors, so that one Subject can serve many streams.
   */
  readonly diagnostics?: Pick<Observer<Diagnostic>, 'next'> | undefined;
  /**
   * Sets parameters while the stream runs, from the next frame on: every channel's alike. What comes before the first
   * value is set at frame 0. Subscribed to as long as the stream runs; its end changes nothing, its error is the
   * stream's, and so is a change that the stream refuses.
   */
  readonly controls?: Observable<ControlChange> | undefined;
  /**
   * As many frames out as come in, block by block, for sound cards: look-ahead becomes a delay of
   * `stream.latency` zero frames at the start, and nothing is flushed at the end.
   */
  readonly realtime?: boolean | undefined;
}
