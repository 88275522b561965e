/** One audio context with one worklet: what comes in, which model runs, what is heard. */
import { messageReader, sharedReader, type TapReader } from 'statewave/web';
import type { FromWorklet, ModelName, ToWorklet, WorkletOptions } from './messages.ts';
import { weightsOf } from './weights.ts';

/** The models run at divisors of this, so that resampling is cheap; the browser converts where a device differs. */
const SAMPLE_RATE = 48_000;
/** Seconds over which the sound goes and comes where models change. */
const FADE = 0.02;

export type Ready = FromWorklet & { type: 'ready' };

const sleep = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

export class Session {
  readonly context: AudioContext;
  readonly reader: TapReader;
  /** What runs the model: one input, one output. */
  readonly node: AudioWorkletNode;
  readonly #monitor: GainNode;
  #source: { readonly node: AudioNode; stop(): void } | undefined;
  #listening = false;
  #loading: Promise<unknown> = Promise.resolve();

  private constructor(context: AudioContext, node: AudioWorkletNode, reader: TapReader) {
    this.context = context;
    this.reader = reader;
    this.node = node;
    this.#monitor = new GainNode(context, { gain: 0 });
    node.connect(this.#monitor).connect(context.destination);
  }

  /** Only after a click or a key: browsers allow no sound before. */
  static async open(): Promise<Session> {
    const context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: 'interactive' });
    await context.audioWorklet.addModule('worklet.js');
    const shared = globalThis.crossOriginIsolated ? sharedReader() : undefined;
    const processorOptions: WorkletOptions = { memory: shared?.memory };
    const node = new AudioWorkletNode(context, 'statewave-live', {
      channelCount: 1,
      channelCountMode: 'explicit',
      outputChannelCount: [1],
      processorOptions,
    });
    node.port.start();
    return new Session(context, node, shared ?? messageReader(node.port));
  }

  /** Underruns of the device, where the browser counts them. */
  get underruns(): number | undefined {
    const { playbackStats } = this.context as AudioContext & {
      playbackStats?: { readonly underrunEvents: number };
    };
    return playbackStats?.underrunEvents;
  }

  get isShared(): boolean {
    return this.reader.memory !== undefined;
  }

  /** Changes the model, in silence and with the clock of the audio stopped, since it takes longer than a quantum. */
  load(name: ModelName): Promise<Ready> {
    const ready = this.#loading.then(() => this.#load(name));
    this.#loading = ready.catch(() => undefined);
    return ready;
  }

  async #load(name: ModelName): Promise<Ready> {
    const weights = await weightsOf(name);
    this.#fade(0);
    await sleep(2 * FADE);
    await this.context.suspend();
    try {
      return await this.#ask({ type: 'load', name, weights });
    } finally {
      await this.context.resume();
      this.#fade(this.#listening ? 1 : 0);
    }
  }

  set(name: string, value: number): void {
    this.#post({ type: 'set', name, value });
  }

  measure(exact: boolean): void {
    this.#post({ type: 'measure', exact });
  }

  listen(on: boolean): void {
    this.#listening = on;
    this.#fade(on ? 1 : 0);
  }

  /**
   * The sound of a room as it is: a model that denoises wants nothing of what browsers do for calls. Resolves when it
   * begins, to what resolves where the device goes away, or its permission.
   */
  async microphone(): Promise<{ readonly ended: Promise<void> }> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    this.#play({
      node: new MediaStreamAudioSourceNode(this.context, { mediaStream: stream }),
      stop: () => stream.getTracks().forEach((track) => track.stop()),
    });
    const [track] = stream.getAudioTracks();
    return { ended: new Promise((resolve) => track!.addEventListener('ended', () => resolve())) };
  }

  /** Plays a recording once. Resolves when it begins, to what resolves at its end or when something else begins. */
  async recording(file: Blob): Promise<{ readonly ended: Promise<void> }> {
    const buffer = await this.context.decodeAudioData(await file.arrayBuffer());
    const node = new AudioBufferSourceNode(this.context, { buffer });
    const ended = new Promise<void>((resolve) => node.addEventListener('ended', () => resolve()));
    this.#play({ node, stop: () => node.stop() });
    node.start();
    return { ended };
  }

  stop(): void {
    this.#source?.node.disconnect();
    this.#source?.stop();
    this.#source = undefined;
  }

  /** Gives the device back; the session is over. */
  async close(): Promise<void> {
    this.stop();
    this.#post({ type: 'stop' });
    await this.context.close();
  }

  #play(source: { readonly node: AudioNode; stop(): void }): void {
    this.stop();
    this.#source = source;
    source.node.connect(this.node);
  }

  #fade(gain: number): void {
    this.#monitor.gain.setTargetAtTime(gain, this.context.currentTime, FADE / 3);
  }

  #post(message: ToWorklet): void {
    this.node.port.postMessage(message, []);
  }

  #ask(message: ToWorklet): Promise<Ready> {
    return new Promise((resolve, reject) => {
      const { port } = this.node;
      const hear = ({ data }: MessageEvent<FromWorklet>): void => {
        if (data.type !== 'ready' && data.type !== 'failed') return;
        port.removeEventListener('message', hear);
        if (data.type === 'ready') resolve(data);
        else reject(new Error(data.message));
      };
      port.addEventListener('message', hear);
      this.#post(message);
    });
  }
}
