import { Observable, Subject, type OperatorFunction } from 'rxjs';
import { SnapshotError, StreamError } from '../../src/errors.ts';
import type { FloatArray, Model } from '../../src/signal/index.ts';
import type { Block, Diagnostic, Parameters, Stream } from '../../src/stream/index.ts';
import { abortable } from '../core/abortable.ts';
import {
  describeFormat,
  formatOf,
  isAnyOther,
  mark,
  sameFormat,
  wholeNumber,
  type BlockFormat,
} from '../core/format.ts';
import { operate, type Transformer } from '../core/operate.ts';
import { births, type Births } from './birth.ts';
import type { ControlChange, SsmOptions } from './options.ts';
import { edge, isFloatArray, perChannel, type Voice } from './voices.ts';

/** Numbers give numbers, blocks give blocks. */
export type Streamed<T> = T extends number ? number : FloatArray;

/** What `ssm` returns: fits in `pipe` behind numbers and behind blocks. */
export type SsmOperator = <T extends number | Block>(source: Observable<T>) => Observable<Streamed<T>>;

/**
 * A state space model as an operator: `source.pipe(ssm(model, parameters))`.
 *
 * Takes blocks (frames × channels, any number of frames each, or one array a named port) and emits what is
 * ready of them as fresh blocks; or takes numbers, one a frame, and emits numbers. Any chunking gives the same
 * bits. With look-ahead the output starts later, and the rest comes when the source completes.
 *
 *     source   -a-----b-----c--|          model with one frame of look-ahead
 *     result   -------A-----B--(C|)
 *
 * Every subscription has a state of its own: nothing is shared, `repeat` and `retry` start afresh. It is born
 * with the first value, since that may say at which rate and on how many channels (see `withFormat`). An error
 * of the source is passed on and nothing is flushed. What the stream refuses (`StreamError`) ends in `error()`.
 *
 * @param parameters by official name; checked and copied here.
 * @throws GraphError, ParameterError where model and parameters do not fit.
 * @example
 * fromWav('in.wav').pipe(ssm(model, parameters), toWav('out.wav')).subscribe();
 * of(1, 0, 0).pipe(ssm(model, parameters)).subscribe((y) => console.log(y));
 */
export function ssm(model: Model, parameters: Parameters, options: SsmOptions = {}): SsmOperator {
  if (options.channels !== undefined) wholeNumber(`ssm(${model.name})`, 'channels', options.channels);
  const born = births(model, parameters, options);
  const { signal } = options;
  const begin = (): Run => new Run(model.name, born, options);
  const run = options.controls === undefined ? running(begin) : controlled(options.controls, begin);
  const operator = (source: Observable<number | Block>): Observable<number | FloatArray> =>
    signal === undefined ? source.pipe(run) : source.pipe(run, abortable(signal));
  return operator as SsmOperator;
}

const running = (begin: () => Run) => operate<number | Block, number | FloatArray>(begin);

/** `operate`, with a second source that sets parameters. */
const controlled =
  (
    controls: Observable<ControlChange>,
    begin: () => Run,
  ): OperatorFunction<number | Block, number | FloatArray> =>
  (source) =>
    new Observable((subscriber) => {
      const run = begin();
      subscriber.add(
        controls.subscribe({
          next(change) {
            try {
              run.set(change);
            } catch (error) {
              subscriber.error(error);
            }
          },
          error: (error: unknown) => subscriber.error(error),
        }),
      );
      if (!subscriber.closed) subscriber.add(source.pipe(running(() => run)).subscribe(subscriber));
    });

type Emit = (value: number | FloatArray) => void;

/** One subscription. */
class Run implements Transformer<number | Block, number | FloatArray> {
  readonly #name: string;
  readonly #births: Births;
  readonly #options: SsmOptions;
  readonly #diagnostics: Subject<Diagnostic> | undefined;
  #takes: 'numbers' | 'blocks' | undefined;
  #voice: Voice | undefined;
  #streams: readonly Stream[] = [];
  /** What is to be set once the streams are born. */
  readonly #early: ControlChange[] = [];
  /** What the last block with a format said, and what goes out says. */
  #format: BlockFormat | undefined;
  #outputFormat: BlockFormat | undefined;
  #channels = 0;
  // For numbers only, and seen by nobody: a frame in, and the frames that it brings.
  readonly #one = new Float64Array(1);
  #room = new Float64Array(0);

  constructor(name: string, born: Births, options: SsmOptions) {
    this.#name = name;
    this.#births = born;
    this.#options = options;
    const { diagnostics } = options;
    if (diagnostics !== undefined) {
      this.#diagnostics = new Subject();
      // Through a Subject, so that what the observer throws cannot end the stream.
      this.#diagnostics.subscribe((diagnostic) => diagnostics.next(diagnostic));
    }
  }

  set(change: ControlChange): void {
    if (this.#voice === undefined) this.#early.push(change);
    else for (const stream of this.#streams) if (!stream.ended) stream.set(change.name, change.value, change);
  }

  next(value: number | Block, emit: Emit): number | FloatArray | undefined {
    const result = typeof value === 'number' ? this.#nextNumber(value, emit) : this.#nextBlock(value);
    const { notes } = this.#births;
    if (notes.length === 0) return result;
    // The output is queued first: what a listener feeds comes behind it.
    if (result !== undefined) emit(result);
    for (const note of notes.splice(0)) this.#diagnostics?.next(note);
    return undefined;
  }

  #nextNumber(value: number, emit: Emit): number | undefined {
    if (this.#takes !== 'numbers') this.#begin('numbers', undefined);
    const room = this.#room;
    this.#one[0] = value;
    const last = this.#voice!.process!(this.#one, room) - 1;
    for (let i = 0; i < last; i++) emit(room[i]!);
    return last < 0 ? undefined : room[last]!;
  }

  #nextBlock(block: Block): FloatArray | undefined {
    const isAsked = this.#takes !== 'blocks' || isAnyOther(this.#format);
    const format = isAsked && isFloatArray(block) ? formatOf(block) : undefined;
    if (this.#takes !== 'blocks') {
      if (typeof block !== 'object' || block === null) {
        throw new StreamError(`${this.#name} got a ${typeof block}; give numbers or Float32Array blocks`);
      }
      this.#begin('blocks', format);
    }
    if (format !== this.#format && format !== undefined) this.#accept(format);
    return this.#marked(this.#voice!.push(block));
  }

  end(emit: Emit): void {
    if (this.#takes === undefined) {
      // Nothing came, so nothing goes, unless a snapshot still holds something back.
      if (this.#options.snapshot === undefined) return;
      this.#begin('blocks', undefined);
    }
    const rest = this.#voice!.flush();
    if (this.#takes === 'numbers') {
      for (const y of rest) emit(y);
      return;
    }
    const block = this.#marked(rest);
    if (block) emit(block);
  }

  /** A block with its format, where there is any of it. */
  #marked(output: FloatArray): FloatArray | undefined {
    return output.length > 0 ? mark(output, this.#outputFormat) : undefined;
  }

  #begin(takes: 'numbers' | 'blocks', format: BlockFormat | undefined): void {
    if (this.#takes !== undefined) {
      throw new StreamError(`${this.#name} got ${this.#takes} first and now ${takes}; give one kind only`);
    }
    const { streams, voice } = this.#bear(format);
    const { inputChannels, outputChannels, outputRate, sampleRate } = streams[0]!;
    if (takes === 'numbers' && (streams.length > 1 || inputChannels > 1 || outputChannels > 1)) {
      throw new StreamError(
        `${this.#name} takes frames of ${inputChannels * streams.length} and gives frames of ` +
          `${outputChannels * streams.length}, so a number is none; give blocks (frames × channels)`,
      );
    }
    this.#channels = inputChannels * streams.length;
    if (sampleRate !== undefined) {
      this.#format = { sampleRate, channels: this.#channels };
      this.#outputFormat = {
        sampleRate: sampleRate * outputRate,
        channels: outputChannels * streams.length,
      };
    }
    if (takes === 'numbers') this.#room = new Float64Array(Math.max(1, streams[0]!.maxOutput(1)));
    this.#voice = voice;
    this.#streams = streams;
    this.#takes = takes;
    for (const change of this.#early.splice(0)) this.set(change);
  }

  /** One stream, or one a channel, each from its snapshot where there is one. */
  #bear(format: BlockFormat | undefined): { streams: readonly Stream[]; voice: Voice } {
    const { onStream, realtime, snapshot } = this.#options;
    const sampleRate = this.#options.sampleRate ?? format?.sampleRate;
    const first = this.#births.stream(sampleRate);
    const channels = this.#options.channels ?? format?.channels ?? first.inputChannels;
    const { inputChannels, outputChannels } = first;
    if (channels !== inputChannels && inputChannels !== 1) {
      throw new StreamError(
        `${this.#name} takes frames of ${inputChannels}, but the blocks have ${channels} channels; ` +
          'remix them with mono() or mapChannels()',
      );
    }
    const streams = Array.from({ length: channels / inputChannels }, (_, i) =>
      i === 0 ? first : this.#births.stream(sampleRate),
    );
    if (snapshot !== undefined) {
      const snapshots = snapshot instanceof Uint8Array ? [snapshot] : snapshot;
      if (snapshots.length !== streams.length) {
        throw new SnapshotError(
          `${this.#name} runs with ${streams.length} states, but got ${snapshots.length} snapshots; give one for each`,
        );
      }
      streams.forEach((stream, i) => stream.restore(snapshots[i]!));
    }
    streams.forEach((stream, i) => onStream?.(stream, i));
    const voices = streams.map((stream) => (realtime === true ? edge(stream) : stream));
    return {
      streams,
      voice: voices.length === 1 ? voices[0]! : perChannel(voices, outputChannels, this.#births.notes),
    };
  }

  /** Refuses a block of another format than the stream runs on. */
  #accept(format: BlockFormat): void {
    const running = this.#format ?? { sampleRate: format.sampleRate, channels: this.#channels };
    if (!sameFormat(format, running)) {
      throw new StreamError(
        `${this.#name} runs on ${describeFormat(running)}, but this block is ${describeFormat(format)}; ` +
          'resample or remix it, or give each format an operator of its own',
      );
    }
    this.#format = format;
  }
}
