import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { createWavWriter, type WavEncoding } from '../../src/audio/index.ts';
import { random } from '../../src/init/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const node = join(root, 'node_modules/.bin/node');
export const main = join(root, 'src/cli/main.ts');

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The real command, as it is typed. */
export const start = (args: readonly string[]): ChildProcess =>
  spawn(node, [main, ...args], { cwd: root, stdio: 'pipe' });

export function outcome(child: ChildProcess): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) =>
      resolve({ status, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

export function statewave(args: readonly string[], stdin?: Uint8Array): Promise<Outcome> {
  const child = start(args);
  // A command that refuses its arguments leaves its input unread.
  child.stdin!.on('error', () => {});
  child.stdin!.end(stdin);
  return outcome(child);
}

/** A folder that is gone after the tests of this file. */
export function scratch(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'statewave-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Reproducible noise below half of full scale, on the grid of 16 bits, so that PCM keeps it exactly. */
export function noise(length: number, seed: number): Float32Array {
  const source = random(seed);
  return Float32Array.from({ length }, () => Math.round((source.uniform() - 0.5) * 32_768) / 32_768);
}

export async function writeWav(
  path: string,
  samples: Float32Array,
  options: { sampleRate: number; channels: number; encoding: WavEncoding },
): Promise<void> {
  const writer = createWavWriter(path, options);
  await writer.write(samples);
  await writer.close();
}
