import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  consumeDurably,
  type ConsumeNote,
  type Delivery,
  type Job,
  type Message,
} from '../../src/durable/index.ts';
import { SnapshotError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { hasMosquitto } from '../mqtt/broker.ts';
import { killConsumers } from '../mqtt/kill.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-consume-'));
afterAll(() => rmSync(folder, { recursive: true }));
const files = { output: join(folder, 'out.txt'), checkpoint: join(folder, 'state') };

/** Adds up by sender; each message's answer is its sender's sum so far. */
function summing(): Job<Message> {
  let sums: Record<string, number> = {};
  return {
    identity: 'sums',
    take({ topic, payload }) {
      const value = payload[1]!;
      sums[topic] = (sums[topic] ?? 0) + value;
      return `${topic} ${sums[topic]}\n`;
    },
    end: () => '',
    snapshot: () => new TextEncoder().encode(JSON.stringify(sums)),
    restore: (state) => void (sums = JSON.parse(new TextDecoder().decode(state)) as Record<string, number>),
    begin: () => void (sums = {}),
  };
}

const sequence = ({ topic, payload }: Message): { sender: string; number: number } => ({
  sender: topic,
  number: payload[0]!,
});

/** Keeps what is not acknowledged, and brings it again to whoever comes next. */
class Broker {
  readonly queue: { topic: string; payload: Uint8Array }[] = [];
  /** Positions of the checkpoint's file at the moment of each acknowledgement. */
  acknowledgedUnsaved = 0;

  async *deliveries(dieAfter = Infinity): AsyncGenerator<Delivery> {
    let count = 0;
    for (const message of this.queue.slice()) {
      if (count++ === dieAfter) throw new Error('killed');
      yield {
        ...message,
        acknowledge: () => {
          if (!existsSync(files.checkpoint)) this.acknowledgedUnsaved++;
          const at = this.queue.indexOf(message);
          if (at >= 0) this.queue.splice(at, 1);
        },
      };
    }
  }
}

const message = (topic: string, number: number, value: number): Message => ({
  topic,
  payload: Uint8Array.of(number, value),
});

describe('consumeDurably', () => {
  beforeEach(() => {
    rmSync(files.output, { force: true });
    rmSync(files.checkpoint, { force: true });
  });

  it('takes each message once, whatever dies when and whatever comes again', async () => {
    const source = random(4);
    for (let trial = 0; trial < 4; trial++) {
      rmSync(files.output, { force: true });
      rmSync(files.checkpoint, { force: true });
      const broker = new Broker();
      const counts: Record<string, number> = {};
      for (let i = 0; i < 80; i++) {
        const topic = `t${source.integer(3)}`;
        counts[topic] = (counts[topic] ?? 0) + 1;
        broker.queue.push({ ...message(topic, counts[topic], source.integer(9)) });
      }
      const job = summing();
      void job.begin!();
      const expected = broker.queue.map((m) => job.take(m)).join('');
      let runs = 0;
      while (broker.queue.length > 0) {
        const every = 1 + source.integer(12);
        const life = consumeDurably(summing(), broker.deliveries(source.integer(40)), {
          ...files,
          every,
          sequence,
        });
        await life.catch((error: Error) => expect(error.message).toBe('killed'));
        runs++;
      }
      expect(readFileSync(files.output, 'utf8')).toBe(expected);
      expect(broker.acknowledgedUnsaved).toBe(0);
      expect(runs).toBeGreaterThan(3);
    }
  });

  it('tells of repetitions and of numbers that never came', async () => {
    const broker = new Broker();
    for (const number of [1, 2, 2, 5, 4, 6]) broker.queue.push({ ...message('a', number, number) });
    const notes: ConsumeNote[] = [];
    const report = await consumeDurably(summing(), broker.deliveries(), {
      ...files,
      sequence,
      onNote: (note) => notes.push(note),
    });
    expect(report).toEqual({ taken: 4, repeated: 2 });
    expect(notes).toEqual([
      { kind: 'repeated', sender: 'a', number: 2, count: 1 },
      { kind: 'gap', sender: 'a', number: 3, count: 2 },
      { kind: 'repeated', sender: 'a', number: 4, count: 1 },
    ]);
    expect(readFileSync(files.output, 'utf8')).toBe('a 1\na 3\na 8\na 14\n');
    expect(broker.queue).toEqual([]);
  });

  it('saves what waits, and stops when the signal asks for it', async () => {
    const stop = new AbortController();
    const acknowledged: number[] = [];
    async function* endless(): AsyncGenerator<Delivery> {
      for (let number = 1; number <= 3; number++)
        yield { ...message('a', number, 1), acknowledge: () => void acknowledged.push(number) };
      await new Promise(() => {});
    }
    const running = consumeDurably(summing(), endless(), {
      ...files,
      within: 5,
      sequence,
      signal: stop.signal,
    });
    while (acknowledged.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    stop.abort();
    expect(await running).toEqual({ taken: 3, repeated: 0 });
    expect(readFileSync(files.output, 'utf8')).toBe('a 1\na 2\na 3\n');
    await expect(
      consumeDurably({ ...summing(), identity: 'others' }, endless(), { ...files, sequence }),
    ).rejects.toThrow(SnapshotError);
  });

  // 1,000 kills: node test/soak/broker-kill.ts. Skipped where there is no mosquitto to talk to.
  it.skipIf(!hasMosquitto).each([false, true])(
    'loses and doubles nothing on a real broker, killed at random (store: %s)',
    async (hasStore) => {
      const own = mkdtempSync(join(folder, 'kill-'));
      const run = { messages: 1500, sensors: 20, kills: 5, hasStore, folder: own, seed: 5, span: 200 };
      const { lost, doubled, wrong } = await killConsumers(run);
      expect({ lost, doubled, wrong }).toEqual({ lost: 0, doubled: 0, wrong: 0 });
    },
    60_000,
  );
});
