import { Subject, type Observable, type Observer } from 'rxjs';
import { GraphError } from '../src/errors.ts';
import { sizeOf, type Model } from '../src/signal/index.ts';
import { compile, type CompileOptions, type Parameters, type Stream } from '../src/stream/index.ts';
import { operate } from './core/operate.ts';
import {
  Timeline,
  type Reading,
  type Step,
  type TimelineNote,
  type TimelineOptions,
  type TimelineState,
} from './irregular/timeline.ts';

/** Where an irregular stream is: its model's state and its place in time. `timeline` is plain data (JSON). */
export interface IrregularState {
  readonly stream: Uint8Array;
  readonly timeline: TimelineState;
}

/** A running irregular stream. */
export interface IrregularRun {
  readonly stream: Stream;
  snapshot(): IrregularState;
}

export interface IrregularOptions extends TimelineOptions, Pick<CompileOptions, 'precision' | 'backend'> {
  /** Hz of the model's own step, for a model that names none; 1: a step of 1 is a second. */
  readonly sampleRate?: number;
  /** Where to go on from. */
  readonly state?: IrregularState;
  /** Called with each subscription's run when it is born. */
  readonly onRun?: (run: IrregularRun) => void;
  /** Told of every reading that was late, double, or not a number. Never completed, never told of errors. */
  readonly diagnostics?: Pick<Observer<TimelineNote>, 'next'>;
}

/**
 * A model on readings that come when they like: each `{ time, value }` is a frame with the time since the one before, and
 * the model is discretised at that step. Out comes `{ time, value }`, one for each reading that was taken.
 *
 *     source   -a--b---------b'-a'--c-|     b' as old as b, a' older
 *     result   -A--B----------------C-|     duplicates: 'drop', late: 'drop'
 *     notes    --------------x--x-----|
 *
 * A gap is one step, however long it is. For methods that are exact for a held input (`zoh`) a step gives what the same
 * step in pieces gives. A value holds over the step that ends at its time. Layers that count frames (delays,
 * convolutions, cells) are refused by name when this is called, and so is a model that looks ahead.
 *
 * Numbers give numbers where the model has one channel in and out, arrays give `Float64Array`s.
 *
 * @throws GraphError, ParameterError where model and parameters do not fit, or the model can't take a `dt` by frame;
 *   ArgumentError for an option out of range. StreamError, as the error of the stream, where a policy says `error`.
 * @example
 * const smooth = continuousLti({ b: [1], a: [30, 1] });
 * readings.pipe(irregular(smooth, {}, { late: 'drop', missing: 'skip' })).subscribe(({ time, value }) => plot(time, value));
 */
export function irregular<T extends number | ArrayLike<number>>(
  model: Model,
  parameters: Parameters,
  options: IrregularOptions = {},
): (source: Observable<Reading<T>>) => Observable<Reading<T extends number ? number : Float64Array>> {
  const { sampleRate, state, onRun, diagnostics, precision, backend, ...timing } = options;
  if (sampleRate !== undefined && model.sampleRate !== undefined && sampleRate !== model.sampleRate) {
    throw new GraphError(
      `irregular(${model.name}): sampleRate is ${sampleRate}, but the model's own is ${model.sampleRate}; leave the option out`,
    );
  }
  const rate = model.sampleRate ?? sampleRate ?? 1;
  const prototype = compile(model, parameters, { irregular: true, maxLatency: 0, precision, backend });
  const channels = sizeOf(model.inputs['input'] ?? [0]);
  // Checks the options now, where a mistake is made.
  void new Timeline(channels, timing, () => {});
  return operate(() => {
    const stream = prototype.fork();
    const notes = new Subject<TimelineNote>();
    // Through a Subject, so that what the observer throws cannot end the stream.
    if (diagnostics) notes.subscribe((note) => diagnostics.next(note));
    const waiting: TimelineNote[] = [];
    const timeline = new Timeline(channels, timing, (note) => waiting.push(note));
    if (state) {
      stream.restore(state.stream);
      timeline.restore(state.timeline);
    }
    onRun?.({ stream, snapshot: () => ({ stream: stream.snapshot(), timeline: timeline.save() }) });
    let numbers = false;
    const taking =
      (emit: (reading: Reading) => void) =>
      ({ time, dt, value, reset }: Step): void => {
        if (reset) {
          stream.reset();
          return;
        }
        const y = Float64Array.from(stream.push({ input: value, dt: Float64Array.of(dt * rate) }));
        emit({ time, value: numbers && y.length === 1 ? y[0]! : y });
      };
    const tell = (): void => {
      for (const note of waiting.splice(0)) notes.next(note);
    };
    return {
      next(reading: Reading<T>, emit) {
        numbers = typeof reading.value === 'number';
        timeline.push(reading, taking(emit as (reading: Reading) => void));
        tell();
      },
      end(emit) {
        timeline.end(taking(emit as (reading: Reading) => void));
        tell();
      },
    };
  });
}
