import type { Random } from '../../src/init/index.ts';
import { createSender, createTopology, type Topology } from '../../src/cluster/index.ts';
import { sensorsJob } from './job.ts';
import { results, sleep, startServer, startWire, startWorkerProcess, waiting } from './harness.ts';

export interface Outcome {
  readonly readings: number;
  /** Results that one undisturbed worker gives and that are missing. */
  readonly lost: number;
  readonly doubled: number;
  /** Results that stand elsewhere, or hold other bits, than those of one undisturbed worker. */
  readonly wrong: number;
  readonly seconds: number;
  readonly events: readonly string[];
}

/**
 * Three workers on a real server while readings arrive; one is killed, one is cut off and comes back, each at a random
 * instant; another starts in place of either. Compared with what one undisturbed worker makes of the same readings.
 */
export async function chaos(readings: number, source: Random, sensors = 40): Promise<Outcome> {
  const topology: Topology = { name: 'test', partitions: 8, storage: 'memory' };
  const server = await startServer();
  const connection = await server.connect();
  await createTopology(connection, topology);
  const wire = await startWire(server.port);
  const workers = [server.port, server.port, wire.port].map((port) => startWorkerProcess(port, topology));
  const started = performance.now();
  try {
    const sender = await createSender(connection, topology);
    const expected = new Map<string, Uint8Array[]>();
    const alone = sensorsJob();
    const disasters = (async () => {
      // Once all of them work.
      while (!workers.every(({ said }) => said.some((line) => line.startsWith('took')))) await sleep(20);
      await sleep(source.uniform() * 1500);
      workers[0]!.child.kill('SIGKILL');
      workers.push(startWorkerProcess(server.port, topology));
      await sleep(source.uniform() * 1500);
      wire.cut();
      await sleep(2500);
      // What the cut-off worker had sent arrives now.
      wire.mend();
      workers.push(startWorkerProcess(server.port, topology));
    })();
    let pending: Promise<void>[] = [];
    for (let i = 0; i < readings; i++) {
      const sensor = `sensor-${Math.floor(source.uniform() * sensors)}`;
      const reading = new Uint8Array(4);
      new DataView(reading.buffer).setFloat32(0, source.normal());
      for (const { data } of alone.take(sensor, reading))
        expected.set(sensor, [...(expected.get(sensor) ?? []), data]);
      pending.push(sender.send(sensor, reading, `${i}`));
      if (pending.length === 250) {
        await Promise.all(pending);
        pending = [];
        // Spread over the time of the disasters.
        await sleep((6000 * 250) / readings);
      }
    }
    await Promise.all(pending);
    await disasters;
    while ((await waiting(connection, topology)) > 0) await sleep(100);
    const found = await results(connection, topology);
    let [lost, doubled, wrong] = [0, 0, 0];
    for (const [sensor, wanted] of expected) {
      const got = found.get(sensor) ?? [];
      lost += Math.max(0, wanted.length - got.length);
      doubled += Math.max(0, got.length - wanted.length);
      wanted.forEach(
        (data, i) => (wrong += got[i] === undefined || Buffer.compare(data, got[i]) !== 0 ? 1 : 0),
      );
    }
    const events = workers.flatMap(({ said }, i) => said.map((line) => `worker ${i}: ${line}`));
    return { readings, lost, doubled, wrong, seconds: (performance.now() - started) / 1000, events };
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
    wire.stop();
    await connection.close();
    await server.stop();
  }
}
