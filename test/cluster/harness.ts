import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Topology } from '../../src/cluster/index.ts';

export const hasNats = spawnSync('nats-server', ['--version']).status === 0;

export interface Server {
  readonly port: number;
  connect(): Promise<NatsConnection>;
  stop(): Promise<void>;
}

/** A nats-server with JetStream in a folder of its own. */
export async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'statewave-nats-'));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const child = spawn('nats-server', ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', `${port}`], {
    stdio: 'ignore',
  });
  const open = (): Promise<NatsConnection> =>
    connect({ servers: `127.0.0.1:${port}`, waitOnFirstConnect: true });
  const first = await open();
  await first.close();
  return {
    port,
    connect: open,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A wire to the server that can be cut: nothing goes through it any more, and nobody is told. */
export async function startWire(
  port: number,
): Promise<{ readonly port: number; cut(): void; mend(): void; stop(): void }> {
  // prettier-ignore
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    const far = connectTcp(port, '127.0.0.1');
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => void (sockets.delete(socket), near.destroy(), far.destroy()));
      if (isCut) socket.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      isCut = false;
      for (const socket of sockets) socket.resume();
    },
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly said: string[];
}

export function startWorkerProcess(port: number, topology: Topology): WorkerProcess {
  const path = fileURLToPath(new URL('worker.ts', import.meta.url));
  const child = spawn(process.execPath, [path, `${port}`, JSON.stringify(topology)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  child.stdout!.on('data', (text) => said.push(...String(text).trim().split('\n')));
  return { child, said };
}

/** Everything in the stream of results, by sensor, in the order of the stream. */
export async function results(
  connection: NatsConnection,
  topology: Topology,
): Promise<Map<string, Uint8Array[]>> {
  const bySensor = new Map<string, Uint8Array[]>();
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(`${topology.name}-out`);
  if (state.messages === 0) return bySensor;
  const consumer = await jetstream(connection).consumers.get(`${topology.name}-out`);
  const messages = await consumer.consume();
  for await (const { subject, data, seq } of messages) {
    const sensor = subject.slice(subject.lastIndexOf('.') + 1);
    bySensor.set(sensor, [...(bySensor.get(sensor) ?? []), Uint8Array.from(data)]);
    if (seq >= state.last_seq) break;
  }
  return bySensor;
}

/** Readings that no worker has acknowledged yet. */
export async function waiting(connection: NatsConnection, topology: Topology): Promise<number> {
  const manager = await jetstreamManager(connection);
  return (await manager.streams.info(`${topology.name}-in`)).state.messages;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
