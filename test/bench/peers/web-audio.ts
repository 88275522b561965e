import { Unavailable, type Contender } from '../contest.ts';
import { noise } from '../noise.ts';

/** What is used of the Web Audio API; the package's own types want those of the browser. */
interface AudioNode {
  connect<T extends AudioNode>(to: T): T;
}
interface AudioBuffer {
  copyToChannel(samples: Float32Array, channel: number): void;
  getChannelData(channel: number): Float32Array;
}
export interface OfflineContext {
  readonly destination: AudioNode;
  createBuffer(channels: number, length: number, sampleRate: number): AudioBuffer;
  createBufferSource(): AudioNode & { buffer: AudioBuffer | null; start(): void };
  createBiquadFilter(): AudioNode & {
    type: string;
    readonly frequency: { value: number };
    readonly Q: { value: number };
  };
  createIIRFilter(feedforward: number[], feedback: number[]): AudioNode;
  startRendering(): Promise<AudioBuffer>;
}

/** Samples that one context renders; ten seconds, so that starting it does not show. */
const LENGTH = 480_000;
const RATE = 48_000;

/**
 * Filter nodes of node-web-audio-api in an OfflineAudioContext. The time is that of `startRendering`; a context renders
 * once, so each piece builds one.
 *
 * @throws Unavailable where the package does not load (it needs libasound.so.2).
 */
export async function webAudio(
  name: string,
  nodes: (context: OfflineContext) => AudioNode[],
): Promise<Contender> {
  let Context: new (channels: number, length: number, sampleRate: number) => OfflineContext;
  try {
    const module = 'node-web-audio-api';
    ({ OfflineAudioContext: Context } = (await import(module)) as { OfflineAudioContext: typeof Context });
  } catch (cause) {
    throw new Unavailable(`node-web-audio-api does not load: ${(cause as Error).message.split('\n')[0]}`, {
      cause,
    });
  }
  const render = async (samples: Float32Array): Promise<{ ns: number; output: Float32Array }> => {
    const context = new Context(1, samples.length, RATE);
    const buffer = context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    let last: AudioNode = source;
    for (const node of nodes(context)) last = last.connect(node);
    last.connect(context.destination);
    source.start();
    const start = process.hrtime.bigint();
    const rendered = await context.startRendering();
    return { ns: Number(process.hrtime.bigint() - start), output: rendered.getChannelData(0) };
  };
  const input = noise(LENGTH);
  return {
    name: `node-web-audio-api ${name}`,
    samples: LENGTH,
    async run(pieces) {
      let ns = 0;
      for (let i = 0; i < pieces; i++) ns += (await render(input)).ns;
      return ns;
    },
    answer: async (probe) => (await render(probe)).output,
  };
}
