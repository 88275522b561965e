/** The audio thread of the page: models run here, quantum by quantum, on the library's WebAssembly kernels. */
import { coarseClock, exactClock, LiveProcessor, MessageTap, SharedTap, type Batch } from 'statewave/web';
import type { FromWorklet, ToWorklet, WorkletOptions } from './messages.ts';
import { liveModel } from './models.ts';

// An AudioWorkletGlobalScope; its types are not among the DOM's.
declare const sampleRate: number;
declare const renderQuantumSize: number | undefined;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** A global of the newest browsers; the others have the number that the standard began with. */
const quantum = typeof renderQuantumSize === 'number' ? renderQuantumSize : 128;

class Live extends AudioWorkletProcessor {
  readonly #processor: LiveProcessor;
  readonly #messages: MessageTap | undefined;
  #running = true;

  constructor({ processorOptions }: { readonly processorOptions: WorkletOptions }) {
    super();
    const { memory } = processorOptions;
    this.#messages = memory === undefined ? new MessageTap(this.port) : undefined;
    this.#processor = new LiveProcessor({ sampleRate, quantum }, this.#messages ?? new SharedTap(memory!));
    this.port.addEventListener('message', ({ data }: MessageEvent<ToWorklet | Batch>) => this.#hear(data));
    this.port.start();
  }

  process(inputs: readonly Float32Array[][], outputs: readonly Float32Array[][]): boolean {
    this.#processor.process(inputs[0]![0], outputs[0]!);
    // A processor that goes on saying true is never collected.
    return this.#running;
  }

  #hear(message: ToWorklet | Batch): void {
    switch (message.type) {
      case 'batch':
        return this.#messages?.take(message);
      case 'set':
        return this.#processor.set(message.name, message.value);
      case 'measure': {
        if (!message.exact) return this.#processor.measure(coarseClock);
        const { clock, isExact } = exactClock();
        return this.#processor.measure(clock, { isExact, every: 1 });
      }
      case 'stop':
        this.#running = false;
        return;
      case 'load':
        this.port.postMessage(this.#load(message), []);
    }
  }

  #load({ name, weights }: ToWorklet & { type: 'load' }): FromWorklet {
    try {
      const model = liveModel(name, weights, this.#processor.context);
      this.#processor.load(model);
      const stream = model.streams[0]!;
      return {
        type: 'ready',
        name,
        latency: model.latency,
        modelRate: stream.sampleRate!,
        backend: stream.identity.backend,
        sections: this.#processor.sections,
      };
    } catch (error) {
      return { type: 'failed', message: (error as Error).message };
    }
  }
}

registerProcessor('statewave-live', Live);
