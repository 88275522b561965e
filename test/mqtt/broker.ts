import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';

/** Debian puts it where a user's PATH does not look. */
const mosquitto = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', 'mosquitto'].find(
  (path) => existsSync(path) || (!path.startsWith('/') && spawnSync(path, ['-h']).error === undefined),
);

export const hasMosquitto = mosquitto !== undefined;

export interface Broker {
  readonly url: string;
  connect(): Promise<MqttClient>;
  stop(): Promise<void>;
}

/** A Mosquitto of our own on a free port, which queues without limit. */
export async function startBroker(port?: number): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), 'statewave-mqtt-'));
  const own = port ?? (await freePort());
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(
    config,
    `listener ${own} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\npersistence false\nset_tcp_nodelay true\n`,
  );
  const child = spawn(mosquitto!, ['-c', config], { stdio: 'ignore' });
  const url = `mqtt://127.0.0.1:${own}`;
  const connect = async (): Promise<MqttClient> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await connectAsync(url, { reconnectPeriod: 0 });
      } catch (error) {
        if (attempt >= 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  await (await connect()).endAsync();
  return {
    url,
    connect,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}
