/** The process that `probe` sacrifices: says on stdout, line by line, what it could open. */
import { collectNow } from './collect.ts';
import { findDevice } from './devices.ts';
import type { Probed, ProbeRequest } from './probe.ts';
import { loadWebAudio, type WebAudio } from './web-audio.ts';

const request = JSON.parse(process.argv[2]!) as ProbeRequest;
const say = (found: Probed): void => void process.stdout.write(`${JSON.stringify(found)}\n`);
const reason = (error: unknown): string => (error as Error).message;

async function speaker(audio: WebAudio): Promise<number | undefined> {
  if (request.speaker === undefined) return undefined;
  try {
    const sinkId = await findDevice(audio, 'audiooutput', request.speaker);
    const { sampleRate } = request;
    const context = new audio.AudioContext({
      ...(sinkId === undefined ? {} : { sinkId }),
      ...(sampleRate === undefined ? {} : { sampleRate }),
    });
    say({ outputRate: context.sampleRate });
    await context.close();
    return context.sampleRate;
  } catch (error) {
    say({ outputError: reason(error) });
    return undefined;
  }
}

async function microphone(audio: WebAudio, rate: number | undefined): Promise<void> {
  if (request.microphone === undefined) return;
  try {
    const deviceId = await findDevice(audio, 'audioinput', request.microphone);
    const constraints = {
      ...(deviceId === undefined ? {} : { deviceId }),
      ...(rate === undefined ? {} : { sampleRate: rate }),
    };
    await audio.mediaDevices.getUserMedia({ audio: constraints });
    say({ microphone: 'open' });
  } catch (error) {
    say({ microphoneError: reason(error) });
  }
}

try {
  const audio = await loadWebAudio();
  const rate = await speaker(audio);
  await microphone(audio, request.sampleRate ?? rate);
} catch (error) {
  say({ loadError: reason(error) });
}
await collectNow();
process.exit(0);
