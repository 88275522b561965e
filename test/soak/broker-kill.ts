/**
 * A consumer of a real Mosquitto, killed (SIGKILL) at random instants while readings arrive; every reading must have its
 * line, once, with the digits of undisturbed streams. In memory, then with states of quiet sensors in a file.
 *
 *     node test/soak/broker-kill.ts [kills = 1000]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killConsumers } from '../mqtt/kill.ts';

const kills = Math.ceil(Number(process.argv[2] ?? 1000) / 2);
let failed = false;
for (const hasStore of [false, true]) {
  const folder = mkdtempSync(join(tmpdir(), 'statewave-broker-kill-'));
  const messages = 400 * kills;
  const run = { messages, sensors: 20, kills, hasStore, folder, seed: hasStore ? 2 : 1, span: 250 };
  const { lost, doubled, wrong, kills: hit, atWork } = await killConsumers(run);
  rmSync(folder, { recursive: true });
  console.log(
    `${hit} kills (${atWork} at work), ${messages} messages, ${hasStore ? 'with a store' : 'in memory'}: ${lost} lost, ${doubled} doubled, ${wrong} lines otherwise`,
  );
  failed ||= lost + doubled + wrong > 0;
}
if (failed) process.exitCode = 1;
