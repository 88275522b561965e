import { ArgumentError } from '../errors.ts';
import { compile, type Stream } from '../stream/index.ts';
import { coarseClock, type Clock } from './clock.ts';
import type { LiveContext, LiveModel } from './live-model.ts';
import { mixer } from './mixer.ts';
import {
  EXACT,
  FRAMES,
  LATE,
  LOAD,
  P999,
  QUANTUM,
  RESULTS,
  STATE,
  WORST,
  type StateSection,
} from './scope.ts';
import { StateProbe } from './state-probe.ts';
import type { Tap } from './tap.ts';
import { WorkMeter } from './work-meter.ts';

/** Times a second that a page is told what a model is doing. */
const SCOPES = 30;
/**
 * Of so many quanta one is measured: engines allocate the number that a clock returns. A prime, since models have
 * rhythms of their own.
 */
const SAMPLED = 17;

/**
 * What an AudioWorkletProcessor does with a render quantum, without one: runs a model, mixes it with what came in,
 * measures the work and tells the page. Allocates nothing once running, so that no collection of garbage falls into
 * the audio thread.
 *
 * @example
 * const processor = new LiveProcessor({ sampleRate, quantum: 128 }, tap);
 * processor.load(resampled(compile(model, parameters, { sampleRate: 16_000 }), processor.context));
 * processor.process(inputs[0][0], outputs[0]); // in AudioWorkletProcessor.process
 */
export class LiveProcessor {
  readonly context: LiveContext;
  readonly #tap: Tap;
  readonly #meter: WorkMeter;
  readonly #silence: Float32Array;
  readonly #wet: Float32Array;
  readonly #mix: Float32Array;
  readonly #heard: Float32Array;
  readonly #mixed: { dry: Float32Array; wet: Float32Array; mix: Float32Array };
  #model: LiveModel | undefined;
  #mixer: Stream | undefined;
  #probe = new StateProbe([]);
  #clock: Clock = coarseClock;
  #exact = false;
  #every = SAMPLED;
  #untilSample = 0;
  #frames = 0;
  #untilScope = 0;

  constructor(context: LiveContext, tap: Tap) {
    const { quantum, sampleRate } = context;
    this.context = context;
    this.#tap = tap;
    this.#meter = new WorkMeter((quantum / sampleRate) * 1e6);
    this.#silence = new Float32Array(quantum);
    this.#wet = new Float32Array(quantum);
    this.#mix = new Float32Array(quantum).fill(1);
    this.#heard = new Float32Array(quantum);
    this.#mixed = { dry: this.#silence, wet: this.#wet, mix: this.#mix };
  }

  /** Sections of the state that the scope shows. */
  get sections(): readonly StateSection[] {
    return this.#probe.sections;
  }

  /** Runs another model from the next quantum on. Allocates, as `compile` does. */
  load(model: LiveModel): void {
    this.#mixer = compile(mixer(model.latency), {}, { sampleRate: this.context.sampleRate });
    this.#probe = new StateProbe(model.streams);
    this.#model = model;
    this.#meter.reset();
    this.#frames = 0;
  }

  /** `mix`: 1 is the model, 0 what came in; anything else is a control of the model. */
  set(name: string, value: number): void {
    if (name === 'mix') this.#mix.fill(value);
    else this.#model?.set?.(name, value);
  }

  /**
   * Measures work by another clock; begins anew.
   *
   * @param every of so many quanta one is measured: 1 for all, 0 for none.
   */
  measure(clock: Clock, { isExact = false, every = SAMPLED } = {}): void {
    this.#clock = clock;
    this.#exact = isExact;
    this.#every = every;
    this.#untilSample = 0;
    this.#meter.reset();
  }

  /**
   * @param input a quantum of one channel; undefined where nothing is connected.
   * @param outputs a quantum a channel: all get the same.
   * @throws ArgumentError for quanta of another size than the context's.
   */
  process(input: Float32Array | undefined, outputs: readonly Float32Array[]): void {
    if (this.#model === undefined) return;
    if (this.#every === 0 || this.#untilSample > 0) {
      this.#untilSample--;
      this.#run(this.#model, input, outputs);
      return;
    }
    this.#untilSample = this.#every - 1;
    const start = this.#clock();
    this.#run(this.#model, input, outputs);
    this.#meter.record(this.#clock() - start);
  }

  #run(model: LiveModel, input: Float32Array | undefined, outputs: readonly Float32Array[]): void {
    const dry = input ?? this.#silence;
    if (dry.length !== this.context.quantum) {
      throw new ArgumentError(
        `a quantum of ${dry.length} frames, this processor was made for ${this.context.quantum}; make it anew`,
      );
    }
    model.process(dry, this.#wet);
    this.#mixed.dry = dry;
    this.#mixer!.process(this.#mixed, this.#heard);
    for (let c = 0; c < outputs.length; c++) outputs[c]!.set(this.#heard);
    this.#tap.write(dry, this.#wet);
    this.#frames += dry.length;
    this.#untilScope -= dry.length;
    if (this.#untilScope <= 0) {
      this.#untilScope += Math.round(this.context.sampleRate / SCOPES);
      this.#fillScope(model);
    }
  }

  #fillScope({ results }: LiveModel): void {
    const { scope } = this.#tap;
    const meter = this.#meter;
    scope[FRAMES] = this.#frames;
    scope[LOAD] = meter.load;
    scope[P999] = meter.percentile(0.999);
    scope[WORST] = meter.worst;
    scope[QUANTUM] = meter.quantum;
    scope[LATE] = meter.late;
    scope[EXACT] = this.#exact ? 1 : 0;
    if (results !== undefined) scope.set(results, RESULTS);
    this.#probe.read(scope, STATE);
    this.#tap.publish();
  }
}
