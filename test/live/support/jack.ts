/** A virtual sound card: JACK's server with its dummy driver, under a name of its own, gone after the test. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const TOOLS = ['jackd', 'jack_lsp', 'jack_connect', 'jack_rec'];

/** The first of JACK's programs that is not here; undefined where all are. */
export function missingJack(): string | undefined {
  return TOOLS.find((tool) => {
    try {
      execFileSync('which', [tool], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
}

export interface Jack {
  /** For processes that are to use this server. */
  readonly env: NodeJS.ProcessEnv;
  ports(): Promise<string[]>;
  /** Waits for ports of these names. */
  appear(...names: string[]): Promise<void>;
  connect(from: string, to: string): Promise<void>;
  /** Runs one of JACK's programs, or any other, until the server stops. */
  start(command: string, args: readonly string[]): ChildProcess;
  stop(): Promise<void>;
}

const run = promisify(execFile);
let servers = 0;

/**
 * Starts the server at 48 kHz. It waits for its clients (`-S`) rather than go on without a late one, so that a busy
 * machine makes it slower, and not deaf.
 */
export async function startJack(period: number): Promise<Jack> {
  const name = `statewave-${process.pid}-${++servers}`;
  const env = {
    ...process.env,
    JACK_DEFAULT_SERVER: name,
    JACK_NO_START_SERVER: '1',
    JACK_NO_AUDIO_RESERVATION: '1',
  };
  const running: ChildProcess[] = [];
  const start = (command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(command, args, { env, stdio: 'pipe' });
    running.push(child);
    return child;
  };
  // The shell ends the server with this process, however that ends.
  const script =
    'jackd "$@" & server=$!; cat >/dev/null; kill $server; (sleep 2; kill -9 $server) 2>/dev/null & wait $server';
  const driver = ['-d', 'dummy', '-r', '48000', '-p', String(period)];
  const server = start('sh', ['-c', script, 'sh', '-r', '-S', '-t', '10000', '-n', name, ...driver]);
  server.stdout!.on('data', (x: Buffer) => console.log('J', String(x)));
  let said = '';
  server.stderr!.on('data', (text: Buffer) => {
    said += text.toString();
    console.log('JE', String(text));
  });

  const ports = async (): Promise<string[]> => {
    try {
      const { stdout } = await run('jack_lsp', [], { env });
      return stdout.split('\n').filter(Boolean);
    } catch {
      return [];
    }
  };
  const appear = async (...names: string[]): Promise<void> => {
    for (let tries = 0; tries < 400; tries++) {
      const there = await ports();
      if (names.every((port) => there.includes(port))) return;
      await sleep(50);
    }
    throw new Error(`JACK has no ${names.join(', ')}, but ${(await ports()).join(', ')}; ${said}`);
  };
  const stop = async (): Promise<void> => {
    for (const child of running.toReversed()) await end(child, child === server);
  };
  try {
    await appear('system:capture_1', 'system:playback_1');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    env,
    ports,
    appear,
    start,
    stop,
    connect: async (from, to) => void (await run('jack_connect', [from, to], { env })),
  };
}

/** The ports of a process that uses node-web-audio-api: cpal names its clients by the process. */
export const portsOf = ({ pid }: ChildProcess): { readonly input: string; readonly output: string } => ({
  input: `cpal_client_${pid}_in:in_0`,
  output: `cpal_client_${pid}_out:out_0`,
});

/** Ends a child for certain: kindly first. The server's shell ends when its stdin does. */
async function end(child: ChildProcess, shell: boolean): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (shell) child.stdin!.end();
  else child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(late);
}
