import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** What the numbers were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Those instruction sets among the processor's that matter here. */
  readonly simd: readonly string[];
  readonly node: string;
  readonly v8: string;
  /** Arguments of the engine. */
  readonly flags: readonly string[];
  readonly system: string;
  readonly compiler: string | undefined;
}

const SIMD = ['sse4_1', 'avx', 'fma', 'avx2', 'avx512f', 'avx512vl', 'neon', 'asimd'];

export function describeMachine(): Machine {
  const flags = processorFlags();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    simd: SIMD.filter((name) => flags.has(name)),
    node: process.version,
    v8: process.versions.v8,
    flags: process.execArgv,
    system: `${process.platform} ${process.arch}`,
    compiler: compilerVersion(),
  };
}

/** Linux says them; elsewhere the list stays empty. */
function processorFlags(): Set<string> {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return new Set(line.trim().split(/\s+/));
  } catch {
    return new Set();
  }
}

/** First line of `g++ --version`; undefined where there is none. */
export function compilerVersion(): string | undefined {
  try {
    return execFileSync('g++', ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n')[0];
  } catch {
    return undefined;
  }
}
