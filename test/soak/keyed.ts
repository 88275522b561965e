/**
 * What many sensors cost, and that nothing piles up.
 *
 *     node test/soak/keyed.ts cost       10,000 sensors × 10 Hz, 64 states, in real time: share of a core (≤ 20 %)
 *     node test/soak/keyed.ts memory     bytes a sensor beyond its state (≤ 16 KiB)
 *     node test/soak/keyed.ts million    a million sensors, of which 50,000 fit into memory
 *     node --max-semi-space-size=8 test/soak/keyed.ts flood [minutes = 10]
 *                                        producers ten times faster than their consumers: memory (≤ 32 MiB), nothing lost
 *                                        where they can wait, drops counted where they can't. The flag keeps V8's young
 *                                        generation small, which otherwise takes its 100 MiB bit by bit, needed or not
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { lastValueFrom, Subject, takeUntil, tap } from 'rxjs';
import { WebSocket } from 'ws';
import {
  fromAsyncIterable,
  fromMqtt,
  hold,
  keyed,
  toWebSocket,
  type BroadcastReport,
} from '../../operators/index.ts';
import { KeyedStreams, openFileStore } from '../../src/keyed/index.ts';
import { initialise, s4d, s5 } from '../../src/layers/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { hasMosquitto, startBroker } from '../mqtt/broker.ts';

interface Row {
  readonly sensor: string;
  readonly time: number;
  readonly value: number;
}

const MIB = 2 ** 20;
const STATES = 64;
const sensorOf = (row: Row): string => row.sensor;
const timeOf = (row: Row): number => row.time;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function inUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let failed = false;
function report(isFine: boolean, text: string): void {
  console.log(`${isFine ? 'ok' : 'FAIL'} ${text}`);
  failed ||= !isFine;
}

/** A second of readings, a hundred at a time, each sensor ten times at instants of its own. */
async function cost(): Promise<void> {
  const [sensors, hertz, seconds] = [10_000, 10, 20];
  const names = Array.from({ length: sensors }, (_, i) => `sensor-${i}`);
  const models: [string, Model, object][] = [
    ['S4D, a dt each', s4d({ features: 1, states: STATES }), { time: timeOf }],
    ['S5, a dt each', s5({ features: 1, states: STATES }), { time: timeOf }],
    ['S4D, evenly spaced', s4d({ features: 1, states: STATES }), {}],
  ];
  for (const [name, model, options] of models) {
    const input = new Subject<Row[]>();
    let results = 0;
    input.pipe(keyed(sensorOf, model, initialise(model, 1), options)).subscribe((values) => {
      results += values.length;
    });
    // A tick of 10 ms is a thousand readings: every tenth sensor.
    const perTick = (sensors * hertz) / 100;
    let at = 0;
    const tick = (k: number): void => {
      const rows: Row[] = [];
      for (let i = 0; i < perTick; i++, at++) {
        const sensor = names[(at * 7) % sensors]!;
        rows.push({ sensor, time: k / 100 + i / perTick / 1000, value: Math.sin(at) });
      }
      input.next(rows);
    };
    for (let k = 0; k < 200; k++) tick(k);
    const start = performance.now();
    const before = process.cpuUsage();
    results = 0;
    for (let k = 200; k < 200 + 100 * seconds; k++) {
      tick(k);
      const ahead = start + (k - 199) * 10 - performance.now();
      if (ahead > 1) await sleep(ahead);
    }
    const { user, system } = process.cpuUsage(before);
    const wall = (performance.now() - start) * 1000;
    const share = (100 * (user + system)) / (1e6 * seconds);
    report(
      share <= 20 && results === sensors * hertz * seconds,
      `${name}: ${sensors} sensors × ${hertz} Hz for ${(wall / 1e6).toFixed(1)} s (planned ${seconds}): ` +
        `${share.toFixed(1)} % of a core, ${((user + system) / results).toFixed(2)} µs a reading, all in`,
    );
  }
}

function memory(): void {
  const model = s5({ features: 1, states: STATES });
  const parameters = initialise(model, 1);
  const born = (): KeyedStreams<Row> => new KeyedStreams(sensorOf, model, parameters, { time: timeOf });
  // What loading and compiling costs is not a sensor's.
  born().processNow([{ sensor: 'a', time: 0, value: 1 }]);
  const before = inUse();
  const rss = process.memoryUsage.rss();
  const streams = born();
  const sensors = 10_000;
  for (let round = 0; round < 5; round++) {
    const rows = Array.from({ length: sensors }, (_, i) => ({
      sensor: `sensor-${i}`,
      time: round,
      value: i,
    }));
    streams.processNow(rows);
  }
  const each = (inUse() - before) / sensors;
  // 32 complex numbers stand for 64 states, in float32.
  const state = STATES * 4;
  report(
    streams.resident === sensors && each - state <= 16_384,
    `memory: ${Math.round(each)} bytes a sensor, ${state} of them its state of ${STATES}; ` +
      `resident memory grew by ${((process.memoryUsage.rss() - rss) / sensors / 1024).toFixed(1)} KiB a sensor`,
  );
}

async function million(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'statewave-million-'));
  const path = join(folder, 'states');
  const store = await openFileStore(path);
  const model = s5({ features: 1, states: STATES });
  const parameters = initialise(model, 1);
  const [keys, resident] = [1_000_000, 50_000];
  const streams = new KeyedStreams(sensorOf, model, parameters, { time: timeOf, store, resident });
  const alone = new KeyedStreams(sensorOf, model, parameters, { time: timeOf });
  const start = performance.now();
  const watched = new Set(Array.from({ length: 100 }, (_, i) => `sensor-${i * 9973}`));
  let [wrong, most, early] = [0, 0, 0];
  for (let round = 0; round < 2; round++) {
    for (let from = 0; from < keys; from += 4096) {
      const rows: Row[] = [];
      for (let i = from; i < Math.min(keys, from + 4096); i++)
        rows.push({ sensor: `sensor-${i}`, time: round * 60 + (i % 60), value: Math.sin(i + round) });
      const results = await streams.process(rows);
      if (results.length !== rows.length) wrong += 1;
      const own = rows.filter(({ sensor }) => watched.has(sensor));
      const expected = alone.processNow(own)!;
      const got = results.filter(({ key }) => watched.has(key));
      expected.forEach(({ value }, i) => (wrong += Object.is(got[i]?.value, value) ? 0 : 1));
      const rss = process.memoryUsage.rss();
      most = Math.max(most, rss);
      if (round === 0 && from < 200_000) early = Math.max(early, rss);
    }
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `round ${round}: ${seconds.toFixed(0)} s, ${(most / MIB).toFixed(0)} MiB at most, ${(statSync(path).size / MIB).toFixed(0)} MiB in the file`,
    );
  }
  const micros = ((performance.now() - start) * 1000) / (2 * keys);
  store.close();
  rmSync(folder, { recursive: true });
  report(
    wrong === 0 && most - early <= 128 * MIB && streams.resident <= resident,
    `a million keys, ${resident} in memory: ${(most / MIB).toFixed(0)} MiB at most, ${(early / MIB).toFixed(0)} MiB after the ` +
      `first 200,000; ${micros.toFixed(0)} µs a reading that brings its state; ${wrong} of the watched wrong`,
  );
}

/** Three producers at ten times the pace of their consumers, side by side. */
async function flood(minutes: number): Promise<void> {
  const model = s4d({ features: 1, states: STATES });
  const parameters = initialise(model, 1);
  const over = new Subject<void>();
  const text = 'x'.repeat(8000);
  const until = performance.now() + minutes * 60_000;
  const isOver = (): boolean => performance.now() >= until;
  const jobs: Promise<void>[] = [];

  // A source that can wait, through keyed streams, to a consumer of 100 batches of 100 a second.
  let [made, taken, disordered] = [0, 0, 0];
  async function* rows(): AsyncGenerator<Row[]> {
    while (!isOver()) {
      yield Array.from({ length: 100 }, () => {
        made++;
        return { sensor: `s${made % 1000}`, time: made, value: 1 };
      });
    }
  }
  jobs.push(
    lastValueFrom(
      fromAsyncIterable(rows()).pipe(
        keyed(sensorOf, model, parameters, { time: timeOf }),
        tap((results) => {
          for (const { time } of results) disordered += time === ++taken ? 0 : 1;
          hold(sleep(10));
        }),
      ),
    ).then(() => {
      report(
        made === taken && disordered === 0,
        `waiting: ${made} made, ${taken} taken, ${disordered} out of order`,
      );
    }),
  );

  // A client of 100 messages a second, of a source that can't wait and brings 1,000.
  const source = new Subject<string>();
  let reading = 0;
  let wrongOrder = 0;
  jobs.push(
    new Promise<BroadcastReport>((resolve, reject) => {
      let final: BroadcastReport | undefined;
      source
        .pipe(
          toWebSocket({
            queue: 1000,
            slow: 'drop-oldest',
            onListening(url) {
              const socket = new WebSocket(url);
              let last = -1;
              socket.on('message', (data) => {
                const number = Number(String(data).split(' ')[0]);
                wrongOrder += number > last ? 0 : 1;
                last = number;
                if (++reading % 10 === 0 && !isOver()) {
                  socket.pause();
                  setTimeout(() => socket.resume(), 100);
                }
              });
              socket.on('open', () => {
                let number = 0;
                const timer = setInterval(() => {
                  for (let i = 0; i < 10; i++) source.next(`${number++} ${text}`);
                  if (!isOver()) return;
                  clearInterval(timer);
                  source.complete();
                }, 10);
              });
              socket.on('close', () => resolve(final!));
            },
          }),
        )
        .subscribe({ next: (value) => (final = value), error: reject });
    }).then(({ messages, sent, dropped, unsent }) => {
      report(
        sent + dropped === messages && sent === reading && unsent === 0 && wrongOrder === 0,
        `dropping: ${messages} messages = ${sent} sent + ${dropped} dropped; the client got ${reading}, in order`,
      );
    }),
  );

  // A broker that brings 1,000 a second to a consumer of 100.
  if (hasMosquitto) {
    const broker = await startBroker();
    const sender = await broker.connect();
    let [sent, next, wrong] = [0, 0, 0];
    const consumed = lastValueFrom(
      fromMqtt({ url: broker.url, topics: 'flood', clientId: 'flood', session: 3600 }).pipe(
        tap(({ payload }) => {
          wrong += Number(new TextDecoder().decode(payload).split(' ')[0]) === next++ ? 0 : 1;
          hold(sleep(10));
        }),
        takeUntil(over),
      ),
      { defaultValue: undefined },
    );
    const publishing = (async () => {
      await sleep(500);
      while (!isOver()) {
        await Promise.all(
          Array.from({ length: 10 }, () =>
            sender.publishAsync('flood', `${sent++} ${text.slice(0, 100)}`, { qos: 1 }),
          ),
        );
        await sleep(10);
      }
    })();
    jobs.push(
      (async () => {
        await publishing;
        over.next();
        await consumed;
        report(
          wrong === 0 && next > 0,
          `MQTT: ${sent} sent, ${next} taken meanwhile, in order, none left out`,
        );
        await sender.endAsync();
        await broker.stop();
      })(),
    );
  } else console.log('MQTT: left out, there is no mosquitto');

  // The engine sizes its heap in the first minute; what grows from then on would grow for ever.
  const samples: { readonly used: number; readonly resident: number }[] = [];
  while (!isOver()) {
    await sleep(Math.min(5000, Math.max(100, until - performance.now())));
    const used = inUse();
    samples.push({ used, resident: process.memoryUsage.rss() });
  }
  await Promise.all(jobs);
  const minute = Math.min(12, Math.floor(samples.length / 3));
  const settled = (what: 'used' | 'resident', from: number): number =>
    samples.slice(from, from + minute).map((sample) => sample[what]).toSorted((a, b) => a - b)[minute >> 1]! / MIB; // prettier-ignore
  const growth = (what: 'used' | 'resident'): number =>
    settled(what, samples.length - minute) - settled(what, minute);
  const most = (what: 'used' | 'resident'): string =>
    (Math.max(...samples.map((sample) => sample[what])) / MIB).toFixed(0);
  report(
    growth('used') <= 32 && growth('resident') <= 32,
    `memory in the second minute ${settled('used', minute).toFixed(1)} MiB in use and ` +
      `${settled('resident', minute).toFixed(0)} resident; grew by ${growth('used').toFixed(1)} and ` +
      `${growth('resident').toFixed(1)} MiB to the last of ${minutes}; at most ${most('used')} and ${most('resident')}`,
  );
}

const [what, minutes = '10'] = process.argv.slice(2);
if (what === 'cost') await cost();
else if (what === 'memory') memory();
else if (what === 'million') await million();
else if (what === 'flood' && Number(minutes) > 0) await flood(Number(minutes));
else {
  console.error(`${what ?? 'nothing'} can't be measured; give cost, memory, million or flood [minutes]`);
  process.exitCode = 2;
}
if (failed) process.exitCode = 1;
