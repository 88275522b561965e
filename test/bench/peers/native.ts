import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Unavailable, type Contender } from '../contest.ts';
import { compilerVersion } from '../machine.ts';

/** Where compiled peers and the files of numbers between us and them go; git ignores it. */
const work = fileURLToPath(new URL('../../../out/bench/native', import.meta.url));
const sources = fileURLToPath(new URL('../native', import.meta.url));

/** The width of a native peer's vectors. */
export type Width = '128-bit' | 'full width';
export const WIDTHS: readonly Width[] = ['128-bit', 'full width'];

const FLAGS: Record<Width, readonly string[]> = {
  '128-bit': ['-DLANES=4', '-mprefer-vector-width=128'],
  'full width': ['-mprefer-vector-width=512'],
};

export interface NativeJob {
  /** `native/<source>.cpp` */
  readonly source: string;
  readonly width: Width;
  /** Behind the file of parameters. */
  readonly sizes: readonly number[];
  /** One behind the other, as the source says. */
  readonly parameters: readonly ArrayLike<number>[];
  /** Samples in a block. */
  readonly block: number;
}

/**
 * A C++ program of ours, compiled for this machine at -O3 -march=native, running beside us as a child that takes the
 * time itself.
 *
 * @throws Unavailable without g++, or where the program does not compile or start on this machine.
 */
export async function native(job: NativeJob): Promise<Contender> {
  const program = build(job.source, job.width);
  const stem = join(work, `${job.source}-${job.width.replace(/\W/g, '')}-${process.pid}-${counter++}`);
  const files = { numbers: `${stem}.numbers`, probe: `${stem}.probe`, answer: `${stem}.answer` };
  writeFloats(
    files.numbers,
    job.parameters.flatMap((part) => Array.from(part)),
  );

  const child = spawn(program, [files.numbers, ...job.sizes.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (order: string): Promise<string> => {
    child.stdin.write(`${order}\n`);
    const { value, done } = await lines.next();
    if (done)
      throw new Unavailable(`native ${job.source} ${job.width} ended; it takes no ${job.sizes.join(' × ')}`);
    return value;
  };
  child.stdin.on('error', () => {
    // The end of its output says it already.
  });

  return {
    name: `native C++ ${job.width}`,
    samples: job.block,
    run: async (pieces) => Number(await ask(`run ${pieces}`)),
    async answer(probe) {
      writeFloats(files.probe, probe);
      await ask(`answer ${files.probe} ${files.answer}`);
      const bytes = readFileSync(files.answer);
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).slice();
    },
    close() {
      child.stdin.end();
      for (const file of Object.values(files)) rmSync(file, { force: true });
    },
  };
}

let counter = 0;
let compiler: string | undefined;

function build(source: string, width: Width): string {
  compiler ??= compilerVersion() ?? '';
  if (compiler === '') throw new Unavailable('no g++ on this machine');
  mkdirSync(work, { recursive: true });
  const program = join(work, `${source}-${width.replace(/\W/g, '')}`);
  const inputs = ['lanes.hpp', 'serve.hpp', `${source}.cpp`].map((file) => join(sources, file));
  if (modified(program) < Math.max(...inputs.map(modified))) {
    const flags = ['-std=c++17', '-O3', '-march=native', ...FLAGS[width]];
    try {
      execFileSync('g++', [...flags, '-o', program, inputs.at(-1)!], { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (cause) {
      throw new Unavailable(`g++ does not compile native/${source}.cpp: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  return program;
}

const modified = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function writeFloats(file: string, values: ArrayLike<number>): void {
  writeFileSync(file, new Uint8Array(Float32Array.from(values).buffer));
}
