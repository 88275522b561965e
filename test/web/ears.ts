/** Worklets that a test puts beside the page's own, to hear what it hears. */
import type { BrowserContext, Page } from 'playwright-core';

const WITNESSED_SECONDS = 60;

/** To be served as `ears.js`. */
export const EARS = `
  /** Remembers where each of its two inputs is loudest. */
  registerProcessor('ears', class extends AudioWorkletProcessor {
    peaks = [[0, 0], [0, 0]];
    constructor() {
      super();
      this.port.onmessage = () => this.port.postMessage(this.peaks.map(([, frame]) => frame));
    }
    process(inputs) {
      inputs.forEach(([quantum], ear) => quantum?.forEach((x, i) => {
        if (Math.abs(x) > this.peaks[ear][0]) this.peaks[ear] = [Math.abs(x), currentFrame + i];
      }));
      return true;
    }
  });
  /** Keeps all that it hears, in memory that is there from the start. */
  registerProcessor('witness', class extends AudioWorkletProcessor {
    heard = new Float32Array(${WITNESSED_SECONDS} * sampleRate);
    length = 0;
    constructor() {
      super();
      this.port.onmessage = () => this.port.postMessage(this.heard.slice(0, this.length));
    }
    process([[quantum]]) {
      if (quantum && this.length + quantum.length <= this.heard.length) this.heard.set(quantum, this.length);
      this.length = Math.min(this.heard.length, this.length + 128);
      return true;
    }
  });`;

/** Connects a witness to whatever microphone the page connects to a worklet of its own. */
export const callWitness = (context: BrowserContext): Promise<unknown> =>
  context.addInitScript(`
    const { addModule } = AudioWorklet.prototype;
    AudioWorklet.prototype.addModule = async function (path) {
      await addModule.call(this, 'ears.js');
      return addModule.call(this, path);
    };
    const { connect } = AudioNode.prototype;
    AudioNode.prototype.connect = function (to, ...rest) {
      if (this instanceof MediaStreamAudioSourceNode && to instanceof AudioWorkletNode) {
        globalThis.witness ??= new AudioWorkletNode(this.context, 'witness', {
          numberOfOutputs: 0,
          channelCount: 1,
          channelCountMode: 'explicit',
        });
        connect.call(this, globalThis.witness);
      }
      return connect.call(this, to, ...rest);
    };`);

/** What the witness has heard so far. */
export async function testimony(page: Page): Promise<Float32Array> {
  const text = await page.evaluate<string>(`new Promise((resolve) => {
    const { port } = globalThis.witness;
    port.onmessage = ({ data }) => {
      let bytes = '';
      for (const byte of new Uint8Array(data.buffer)) bytes += String.fromCharCode(byte);
      resolve(btoa(bytes));
    };
    port.postMessage(0);
  })`);
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/**
 * Sends a click through the page's worklet. In the clock of the audio, which a busy machine may slow down.
 *
 * @returns frames at which it was loudest: at the source, and behind the model.
 */
export const listenToAClick = (page: Page): Promise<{ direct: number; behind: number }> =>
  page.evaluate(`(async () => {
    const { context, node } = statewaveLive.session();
    const until = async (time) => {
      while (context.currentTime < time) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await context.audioWorklet.addModule('ears.js');
    const ears = new AudioWorkletNode(context, 'ears', { numberOfInputs: 2, numberOfOutputs: 0 });
    const buffer = new AudioBuffer({ length: 64, sampleRate: context.sampleRate });
    buffer.getChannelData(0)[0] = 1;
    const click = new AudioBufferSourceNode(context, { buffer });
    click.connect(node);
    click.connect(ears, 0, 0);
    // Past what the microphone left in the model.
    await until(context.currentTime + 0.3);
    node.connect(ears, 0, 1);
    const start = context.currentTime + 0.1;
    click.start(start);
    await until(start + 0.3);
    const [direct, behind] = await new Promise((resolve) => {
      ears.port.onmessage = ({ data }) => resolve(data);
      ears.port.postMessage(0);
    });
    return { direct, behind };
  })()`);
