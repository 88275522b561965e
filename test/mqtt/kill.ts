import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { random, type Random } from '../../src/init/index.ts';
import { openMqtt } from '../../src/mqtt/index.ts';
import { startBroker } from './broker.ts';
import { lineOf, streamsOf, type Row } from './job.ts';

export interface KillRun {
  readonly messages: number;
  readonly sensors: number;
  readonly kills: number;
  /** Readings of quiet sensors in a file of states, beside the checkpoint. */
  readonly hasStore: boolean;
  readonly folder: string;
  readonly seed: number;
  /** Milliseconds at most before a consumer is killed, from its start or from its first word. */
  readonly span: number;
}

export interface KillReport {
  readonly kills: number;
  /** Kills of consumers that had written something. */
  readonly atWork: number;
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: number;
}

/**
 * Sends readings through a real broker to a consumer that is killed with SIGKILL at random instants, then looks at what
 * it has written: lines that are missing, stand there twice, or differ from those of undisturbed streams.
 */
export async function killConsumers(run: KillRun): Promise<KillReport> {
  const source = random(run.seed);
  const rows = readings(run, source);
  const broker = await startBroker();
  const output = join(run.folder, 'scores.txt');
  try {
    // The session has to be there before the first message.
    const session = await openMqtt({
      url: broker.url,
      topics: 'sensors/#',
      clientId: 'consumer',
      session: 3600,
    });
    await session.close();
    const sender = { done: false };
    let kills = 0;
    let atWork = 0;
    // As many readings for each life, so that every one of them has some.
    const share = Math.ceil(rows.length / (run.kills + 1));
    const sending = send(broker.url, rows, (count) => count <= (kills + 1) * share).then(
      () => (sender.done = true),
    );
    const args = [broker.url, output, join(run.folder, 'state'), '40'];
    if (run.hasStore) args.push(join(run.folder, 'quiet.states'));
    while (kills < run.kills) {
      const before = linesOf(output).length;
      const consumer = start(args);
      const exit = once(consumer, 'exit');
      // Some while it starts, most of them at work.
      const starts = source.uniform() < 0.25;
      if (!starts) await Promise.race([once(consumer.stdout!, 'data'), exit]);
      await Promise.race([sleep(source.uniform() * run.span), exit]);
      if (consumer.exitCode !== null)
        throw new Error(`the consumer ended by itself with ${consumer.exitCode}`);
      consumer.kill('SIGKILL');
      await exit;
      kills += 1;
      if (linesOf(output).length > before) atWork += 1;
    }
    const last = start(args);
    await once(last.stdout!, 'data');
    let [there, quiet] = [linesOf(output).length, 0];
    // Until everything is there, or nothing has come for long: what is missing then is lost.
    while ((!sender.done || there < rows.length) && quiet < 40) {
      if (last.exitCode !== null) throw new Error(`the consumer ended by itself with ${last.exitCode}`);
      await sleep(100);
      const before = there;
      there = linesOf(output).length;
      quiet = sender.done && there === before ? quiet + 1 : 0;
    }
    await sending;
    last.kill('SIGTERM');
    await once(last, 'exit');
    return { kills, atWork, ...compare(rows, linesOf(output)) };
  } finally {
    await broker.stop();
  }
}

function readings({ messages, sensors }: KillRun, source: Random): Row[] {
  const counts = new Map<string, number>();
  return Array.from({ length: messages }, (_, i) => {
    const sensor = `s${source.integer(sensors)}`;
    const number = (counts.get(sensor) ?? 0) + 1;
    counts.set(sensor, number);
    return { sensor, number, time: i / 10, value: source.normal() };
  });
}

async function send(url: string, rows: readonly Row[], isTime: (count: number) => boolean): Promise<void> {
  const { connectAsync } = await import('mqtt');
  const sender = await connectAsync(url);
  const waiting: Promise<unknown>[] = [];
  for (const [i, row] of rows.entries()) {
    while (!isTime(i)) await sleep(5);
    waiting.push(sender.publishAsync(`sensors/${row.sensor}`, JSON.stringify(row), { qos: 1 }));
    if (waiting.length >= 20) {
      await Promise.all(waiting.splice(0));
      await sleep(10);
    }
  }
  await Promise.all(waiting);
  await sender.endAsync();
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const consumer = fileURLToPath(new URL('consumer.ts', import.meta.url));
const start = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [consumer, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

const linesOf = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];

function compare(rows: readonly Row[], lines: readonly string[]): Omit<KillReport, 'kills' | 'atWork'> {
  const expected = Map.groupBy(streamsOf().processNow(rows)!.map(lineOf), (line) => line.split(' ')[0]!);
  const got = Map.groupBy(lines, (line) => line.split(' ')[0]!);
  let [lost, doubled, wrong] = [0, 0, 0];
  for (const [sensor, own] of expected) {
    const written = got.get(sensor) ?? [];
    const times = new Set(written.map((line) => line.split(' ')[1]!));
    doubled += written.length - times.size;
    lost += own.filter((line) => !times.has(line.split(' ')[1]!)).length;
    // In the order of the sensor, and the same digits.
    wrong += own.filter((line, i) => written[i] !== line).length;
  }
  return { lost, doubled, wrong };
}
