/**
 * A microphone through a model, live: its level before and after as it runs, and a file in the end. Ctrl-C ends it, or
 * the number of seconds.
 *
 *     node examples/microphone.ts [out.wav [seconds [model.safetensors]]]
 *
 * Without a model, a filter takes rumble and hum away. Needs the package node-web-audio-api and, on Linux, the system's
 * libasound2. To hear the result as well there is `statewave mic`.
 */
import {
  bufferCount,
  fromEvent,
  map,
  merge,
  NEVER,
  share,
  Subject,
  switchMap,
  takeUntil,
  timer,
  zip,
} from 'rxjs';
import { biquadFilter } from 'statewave';
import { dbfs, rms } from 'statewave/audio';
import { loadModel, onRecordings } from 'statewave/models';
import { fromMicrophone, ssm, toWav, type Microphone } from 'statewave/operators';

const [output = 'microphone.wav', seconds, weights] = process.argv.slice(2);

const loaded = weights === undefined ? undefined : loadModel(weights);
const model = loaded
  ? onRecordings(loaded)
  : biquadFilter([
      { type: 'highpass', frequency: 80, Q: Math.SQRT1_2 },
      { type: 'notch', frequency: 50, Q: 10 },
      { type: 'notch', frequency: 150, Q: 30 },
    ]);

const opened = new Subject<Pick<Microphone, 'sampleRate' | 'channels' | 'dropped'>>();
opened.subscribe(({ sampleRate }) => console.log(`listening at ${sampleRate} Hz; Ctrl-C ends it`));

const ends = merge(
  fromEvent(process, 'SIGINT'),
  opened.pipe(switchMap(() => (seconds === undefined ? NEVER : timer(1000 * Number(seconds))))),
);
// A model that is discrete by nature wants its own rate of the device.
const before = fromMicrophone({ sampleRate: model.sampleRate, onOpen: (device) => opened.next(device) }).pipe(
  takeUntil(ends),
  share(),
);
const after = before.pipe(ssm(model, loaded?.parameters ?? {}, { realtime: true }), share());

const level = (blocks: readonly ArrayLike<number>[]): string =>
  `${dbfs(Math.hypot(...blocks.map(rms)) / Math.sqrt(blocks.length)).toFixed(1)} dBFS`;
const levels = zip(before, after).pipe(
  bufferCount(24),
  map((pairs) => `${level(pairs.map(([block]) => block))} in, ${level(pairs.map(([, block]) => block))} out`),
);
levels.subscribe({ next: (line) => console.log(line), error: () => {} });
after.pipe(toWav(output)).subscribe({
  next: ({ frames, sampleRate }) => console.log(`${output}: ${(frames / sampleRate).toFixed(1)} s`),
  error: (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
});
