import { describe, expect, it } from 'vitest';
import { createSender, partitionOf, startWorker, type PartitionJob } from '../../src/cluster/index.ts';
import { random } from '../../src/init/index.ts';
import { chaos } from './chaos.ts';
import { hasNats, results, sleep, startServer, waiting } from './harness.ts';

/** Counts the readings of each sensor. */
function counting(identity = 'count'): PartitionJob {
  let counts: Record<string, number> = {};
  return {
    identity,
    take(sensor) {
      counts[sensor] = (counts[sensor] ?? 0) + 1;
      return [{ sensor, data: Uint8Array.of(counts[sensor]) }];
    },
    snapshot: () => new TextEncoder().encode(JSON.stringify(counts)),
    restore: (state) => void (counts = JSON.parse(new TextDecoder().decode(state)) as Record<string, number>),
  };
}

describe('partitionOf', () => {
  it('is the same everywhere and spreads sensors evenly', () => {
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) counts[partitionOf(`pump-${i}`, 16)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
    expect(partitionOf('pump-17', 64)).toBe(9);
  });
});

describe.skipIf(!hasNats)('workers on JetStream (skipped without nats-server)', () => {
  it('go on where the worker before stopped, count a reading that is sent twice once, and refuse other models', async () => {
    const topology = { name: 'pumps', partitions: 2, storage: 'memory' } as const;
    const server = await startServer();
    const connection = await server.connect();
    const start = (job: () => PartitionJob, lost: unknown[] = []) =>
      startWorker({
        topology,
        job,
        connection: { servers: `127.0.0.1:${server.port}` },
        heartbeat: 100,
        expiry: 400,
        saveEvery: 50,
        onEvent: ({ kind, error }) => void (kind === 'lost' && lost.push(error)),
      });
    try {
      const sender = await createSender(connection, topology);
      const settled = async (): Promise<void> => {
        while ((await waiting(connection, topology)) > 0) await sleep(20);
      };
      const first = await start(() => counting());
      for (const id of ['1', '2', '2']) await sender.send('a', Uint8Array.of(0), id);
      await settled();
      await first.stop();
      await sender.send('a', Uint8Array.of(0), '3');
      const second = await start(() => counting());
      await settled();
      expect([...(await results(connection, topology)).get('a')!].map(([n]) => n)).toEqual([1, 2, 3]);
      await second.stop();
      const lost: unknown[] = [];
      const other = await start(() => counting('another'), lost);
      while (lost.length === 0) await sleep(20);
      expect(String(lost[0])).toMatch(/belongs to another job \(count, this is another\)/);
      await other.stop();
      await expect(sender.send('a.b', Uint8Array.of(0))).rejects.toThrow(/without spaces, dots/);
    } finally {
      await connection.close();
      await server.stop();
    }
  }, 30_000);

  it('lose nothing, double nothing and keep the order while one is killed and one cut off', async () => {
    const { lost, doubled, wrong, events } = await chaos(6000, random(7));
    expect({ lost, doubled, wrong }, events.join('\n')).toEqual({ lost: 0, doubled: 0, wrong: 0 });
  }, 60_000);
});
