/**
 * A WAV file into a sound card, sample by sample: what stands for a person in front of the microphone. Prints "ready"
 * once its ports are there, plays when a line comes on stdin, prints "played" at the end, and goes with stdin.
 *
 *     node player.ts clip.wav
 */
import { createInterface } from 'node:readline';
import { readAudio } from '../../../src/audio/index.ts';

interface Source {
  buffer: unknown;
  addEventListener(event: 'ended', listener: () => void): void;
  connect(to: unknown): void;
  start(): void;
}
interface Player {
  close(): Promise<void>;
  readonly destination: unknown;
  createBuffer(
    channels: number,
    frames: number,
    rate: number,
  ): { copyToChannel(x: Float32Array, c: number): void };
  createBufferSource(): Source;
}

const { AudioContext } = (await import('node-web-audio-api')) as unknown as {
  AudioContext: new (options: { sampleRate: number }) => Player;
};
const { samples, info } = await readAudio(process.argv[2]!);
const { sampleRate } = info;
const context = new AudioContext({ sampleRate });
const buffer = context.createBuffer(1, samples.length, sampleRate);
buffer.copyToChannel(samples, 0);
const source = context.createBufferSource();
source.buffer = buffer;
source.connect(context.destination);
source.addEventListener('ended', () => console.log('played'));
createInterface({ input: process.stdin })
  .once('line', () => source.start())
  .once('close', () => void context.close().then(() => process.exit()));
console.log('ready');
