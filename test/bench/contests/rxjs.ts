import { map, Subject } from 'rxjs';
import { biquadFilter } from '../../../src/layers/filter.ts';
import { compile } from '../../../src/stream/index.ts';
import { ssm } from '../../../operators/index.ts';
import { timed, type Contest, type Target } from '../contest.ts';
import { noise } from '../noise.ts';

const BLOCK = 128;
const RATE = 48_000;
// One channel and one section, so that what stands around the model shows.
const model = biquadFilter([{ type: 'lowpass', frequency: 1000 }]);
const open = () => compile(model, {}, { sampleRate: RATE });

/** What is asked of an operator: the cost of `map` around the same stream, and 5 % for the noise of the measurement. */
const noMoreThanMap: Target = {
  text: 'no more than map (+5 %)',
  holds: (ours, peer) => ours <= 1.05 * peer,
};

/** Pushes one value after the other through a pipeline. */
function pipeline<T>(name: string, samples: number, value: T, connect: (source: Subject<T>) => void) {
  const source = new Subject<T>();
  connect(source);
  return timed(name, samples, () => source.next(value));
}

let sink: unknown;
const keep = (value: unknown): void => {
  sink = value;
};

export const rxjsContests: readonly Contest[] = [
  {
    name: 'rxjs block128',
    about: 'A one-channel biquad as an RxJS operator, `ssm`, on blocks of 128, each result a fresh array.',
    open: () =>
      pipeline('ssm operator', BLOCK, noise(BLOCK), (source) =>
        source.pipe(ssm(model, {}, { sampleRate: RATE })).subscribe(keep),
      ),
    peers: [
      {
        name: 'map around the same stream',
        open() {
          const stream = open();
          return pipeline('map around the same stream', BLOCK, noise(BLOCK), (source) =>
            source.pipe(map((block) => stream.push(block))).subscribe(keep),
          );
        },
        target: noMoreThanMap,
      },
      {
        name: 'the stream alone, into a fresh array',
        open() {
          const stream = open();
          const input = noise(BLOCK);
          return timed('Stream.push', BLOCK, () => keep(stream.push(input)));
        },
        target: { text: 'RxJS adds at most 4 ns a sample', holds: (ours, peer) => ours - peer <= 4 },
      },
      {
        // Beside it, what the fresh array itself costs: operators never hand out memory that they write to again.
        name: 'the bare stream',
        open() {
          const stream = open();
          const [input, output] = [noise(BLOCK), new Float32Array(BLOCK)];
          return timed('Stream.process', BLOCK, () => stream.process(input, output));
        },
      },
    ],
  },
  {
    name: 'rxjs per sample',
    about: 'The same on numbers, one a sample.',
    open: () =>
      pipeline('ssm operator', 1, 0.5, (source) =>
        source.pipe(ssm(model, {}, { sampleRate: RATE })).subscribe(keep),
      ),
    peers: [
      {
        name: 'map around the same stream',
        open() {
          const stream = open();
          const [frame, room] = [new Float64Array(1), new Float64Array(1)];
          return pipeline('map around the same stream', 1, 0.5, (source) =>
            source
              .pipe(
                map((value) => {
                  frame[0] = value;
                  stream.process(frame, room);
                  return room[0]!;
                }),
              )
              .subscribe(keep),
          );
        },
        target: noMoreThanMap,
      },
    ],
  },
];

/** The last result, so that no engine may leave the work out. */
export const lastResult = (): unknown => sink;
