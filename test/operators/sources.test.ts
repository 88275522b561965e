import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  concat,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  Subject,
  take,
  tap,
  throwError,
  toArray,
  type Observable,
} from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  fromAsyncIterable,
  fromCsv,
  fromJsonLines,
  fromLines,
  fromMqtt,
  hold,
  toLines,
  type BadLine,
} from '../../operators/index.ts';
import { ArgumentError, FormatError, StreamError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { openMqtt } from '../../src/mqtt/index.ts';
import { hasMosquitto, startBroker } from '../mqtt/broker.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** The bytes of a text, cut anywhere. */
async function* pieces(text: string, seed: number): AsyncGenerator<Uint8Array> {
  const source = random(seed);
  const bytes = new TextEncoder().encode(text);
  for (let from = 0; from < bytes.length;) {
    const to = from + 1 + source.integer(5);
    yield bytes.subarray(from, to);
    from = to;
  }
}

const all = <T>(source: Observable<T>): Promise<T[]> => lastValueFrom(source.pipe(toArray()));

describe('fromLines', () => {
  const text = 'one\r\nzwölf\n\n  x\r\nlast';
  const lines = ['one', 'zwölf', '', '  x', 'last'];

  it('cuts at ends of line, wherever the pieces end', async () => {
    expect(await all(fromLines(at('a.txt', text)))).toEqual(lines);
    for (let seed = 1; seed < 20; seed++) expect(await all(fromLines(pieces(text, seed)))).toEqual(lines);
    expect(await all(fromLines(pieces(`${text}\n`, 1)))).toEqual(lines);
    expect(await all(fromLines(pieces('', 1)))).toEqual([]);
  });

  it('refuses a line without end, and says what is not there', async () => {
    async function* endless(): AsyncGenerator<string> {
      for (;;) yield 'x'.repeat(2 ** 20);
    }
    await expect(all(fromLines(endless()))).rejects.toThrow(FormatError);
    await expect(all(fromLines(join(folder, 'nothing.txt')))).rejects.toThrow(/ENOENT/);
  });

  it('waits for its sinks, and closes its input', async () => {
    let [pulled, closed] = [0, false];
    async function* many(): AsyncGenerator<string> {
      try {
        for (;;) yield `${pulled++}\n`;
      } finally {
        closed = true;
      }
    }
    let ahead = 0;
    const taken = fromLines(many()).pipe(
      map(Number),
      tap((number) => {
        ahead = Math.max(ahead, pulled - number);
        hold(new Promise((resolve) => setImmediate(resolve)));
      }),
      take(50),
    );
    expect((await all(taken)).at(-1)).toBe(49);
    expect(ahead).toBeLessThanOrEqual(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(true);
  });
});

describe('fromJsonLines', () => {
  const text = '{"a":1}\n\n{"a":\n{"a":3}\n[4]\n';

  it('names the line that is none, or leaves it out and tells', async () => {
    const path = at('b.jsonl', text);
    const seen: unknown[] = [];
    const failing = fromJsonLines(path).pipe(tap((value) => seen.push(value)));
    await expect(all(failing)).rejects.toThrow(/b\.jsonl, line 3: .*; mend it, or leave such lines out/);
    expect(seen).toEqual([{ a: 1 }]);
    const bad: BadLine[] = [];
    const read = (value: unknown): number => {
      const { a } = value as { a?: number };
      if (a === undefined) throw new Error('no a');
      return a;
    };
    const good = await all(fromJsonLines(path, { read, bad: 'skip', onBad: (line) => bad.push(line) }));
    expect(good).toEqual([1, 3]);
    expect(bad.map(({ line, error }) => [line, error.message === 'no a'])).toEqual([
      [3, false],
      [5, true],
    ]);
  });
});

describe('fromCsv', () => {
  const text = 'time,name,value\n0,"a, b",1.5\n1,c\n2,"d\ne",\n\n3,f,x\n4,g,2\n';
  const read = ({ time, name, value }: Readonly<Record<string, string>>): [number, string, number] => {
    const number = value === '' ? Number.NaN : Number(value);
    if (value !== '' && Number.isNaN(number)) throw new Error(`${value} is no number`);
    return [Number(time), name!, number];
  };

  it('reads rows by the names of their columns', async () => {
    const bad: BadLine[] = [];
    const options = { read, bad: 'skip', onBad: (line: BadLine) => bad.push(line) } as const;
    const rows = await all(fromCsv(pieces(text, 2), options));
    expect(rows).toEqual([
      [0, 'a, b', 1.5],
      [2, 'd\ne', Number.NaN],
      [4, 'g', 2],
    ]);
    expect(bad.map(({ line }) => line)).toEqual([3, 7]);
    const plain = fromCsv(pieces('1;2\n3;4\n', 1), { columns: ['x', 'y'], delimiter: ';' });
    expect(await all(plain)).toEqual([
      { x: '1', y: '2' },
      { x: '3', y: '4' },
    ]);
  });

  it('gives the rows before a bad one, then names it', async () => {
    const rows: unknown[] = [];
    const failing = fromCsv(at('c.csv', text), { read }).pipe(tap((row) => rows.push(row)));
    await expect(all(failing)).rejects.toThrow(/c\.csv, line 3: .*columns length is 3, got 2/);
    expect(rows).toEqual([[0, 'a, b', 1.5]]);
    await expect(all(fromCsv(at('d.csv', `a,b\n"${'x'.repeat(3 * 2 ** 20)}\n`)))).rejects.toThrow(
      FormatError,
    );
    await expect(all(fromCsv(join(folder, 'nothing.csv')))).rejects.toThrow(/ENOENT/);
  });
});

describe('toLines', () => {
  it('writes a line a value, under its name once it is complete', async () => {
    const path = join(folder, 'out.jsonl');
    const values = Array.from({ length: 20_000 }, (_, i) => ({ i, text: 'ü'.repeat(i % 50) }));
    expect(await lastValueFrom(fromAsyncIterable(values).pipe(toLines(path)))).toEqual({ lines: 20_000 });
    expect(await all(fromJsonLines(path))).toEqual(values);
  });

  it('leaves nothing behind after an error, and what was there before', async () => {
    const path = at('kept.txt', 'before');
    const before = readdirSync(folder);
    const failing = concat(
      from(['a', 'b']),
      throwError(() => new Error('broken')),
    );
    await expect(lastValueFrom(failing.pipe(toLines(path)))).rejects.toThrow('broken');
    const subscription = new Subject<string>().pipe(toLines(path)).subscribe();
    subscription.unsubscribe();
    await expect(
      lastValueFrom(from(['a']).pipe(toLines(join(folder, 'no', 'such', 'folder')))),
    ).rejects.toThrow(/ENOENT/);
    // Whoever unsubscribes is not told when the file is gone.
    await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toEqual(before);
    expect(readFileSync(path, 'utf8')).toBe('before');
  });

  it('bounds what waits behind a source that can not', async () => {
    const lines = from(Array.from({ length: 100 }, () => 'x'.repeat(1000)));
    const sink = lines.pipe(toLines(join(folder, 'much.txt'), { maxPendingBytes: 10_000 }));
    await expect(lastValueFrom(sink)).rejects.toThrow(StreamError);
  });
});

// Skipped where there is no mosquitto to talk to.
describe.skipIf(!hasMosquitto)('fromMqtt', () => {
  it('loses nothing behind a slow sink', async () => {
    const broker = await startBroker();
    const sender = await broker.connect();
    const options = { url: broker.url, topics: 'fast', clientId: 'slow', session: 60, window: 10 };
    // The session has to be there before the first message.
    await (await openMqtt(options)).close();
    const messages = fromMqtt(options).pipe(
      map(({ payload }) => Number(new TextDecoder().decode(payload))),
      tap(() => hold(new Promise((resolve) => setTimeout(resolve, 1)))),
      take(500),
      toArray(),
    );
    const result = lastValueFrom(messages);
    const publishing = (async () => {
      for (let i = 0; i < 500; i++) await sender.publishAsync('fast', `${i}`, { qos: 1 });
    })();
    expect(await result).toEqual(Array.from({ length: 500 }, (_, i) => i));
    await publishing;
    await sender.endAsync();
    await broker.stop();
  });

  it('ends with what is wrong', async () => {
    await expect(firstValueFrom(fromMqtt({ url: 'mqtt://127.0.0.1:1', topics: 'a' }))).rejects.toThrow(
      /no connection to/,
    );
    await expect(
      firstValueFrom(fromMqtt({ url: 'mqtt://127.0.0.1:1', topics: 'a', window: 0 })),
    ).rejects.toThrow(ArgumentError);
  });
});
