/** A virtual sound card: JACK's server with its dummy driver, under a name of its own, gone after the test. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
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
  /** The server is gone from one moment to the next, as a card that is pulled out. */
  fall(): Promise<void>;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** Names for servers. JACK reclaims the name of a server that died; names that nobody asks for again stay for ever. */
const NAMES = Array.from({ length: 6 }, (_, i) => `statewave-test-${i}`);

/**
 * Starts the server at 48 kHz. It waits for its clients (`-S`) rather than go on without a late one, so that a busy
 * machine makes it slower, and not deaf.
 *
 * @param period frames.
 */
export async function startJack(period: number): Promise<Jack> {
  const tried: string[] = [];
  for (const name of NAMES) {
    const jack = await startNamed(name, period);
    if (typeof jack !== 'string') return jack;
    tried.push(jack);
  }
  throw new Error(`no server of JACK could be started: ${tried.join('; ')}`);
}

/** The server, or what it said where it did not start: another run may have the name. */
async function startNamed(name: string, period: number): Promise<Jack | string> {
  const env = {
    ...process.env,
    JACK_DEFAULT_SERVER: name,
    JACK_NO_START_SERVER: '1',
    JACK_NO_AUDIO_RESERVATION: '1',
  };
  const running: ChildProcess[] = [];
  const start = (command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(command, args, { env, stdio: 'pipe' });
    soundFirst(child.pid!);
    running.push(child);
    return child;
  };
  // The shell ends the server with this process, however that ends; one that hangs is not waited for.
  const script = 'jackd "$@" & s=$!; (cat; kill $s; sleep 3; kill -9 $s) >/dev/null 2>&1 <&3 & wait $s';
  const driver = ['-d', 'dummy', '-r', '48000', '-p', String(period)];
  const flags = ['-r', '-S', '-t', '10000', '-n', name];
  const server = start('sh', ['-c', `exec 3<&0; ${script}`, 'sh', ...flags, ...driver]);
  let said = '';
  for (const output of [server.stdout!, server.stderr!])
    output.on('data', (text: Buffer) => (said += text.toString()));

  const ports = async (): Promise<string[]> => {
    try {
      const { stdout } = await run('jack_lsp', [], { env });
      return stdout.split('\n').filter(Boolean);
    } catch {
      return [];
    }
  };
  const appear = async (...names: string[]): Promise<void> => {
    for (let tries = 0; tries < 400 && server.exitCode === null; tries++) {
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
    return (error as Error).message;
  }
  // Under a name that is taken the ports that appear are another server's.
  await sleep(50);
  if (server.exitCode !== null) return said;
  return {
    env,
    ports,
    appear,
    start,
    stop,
    fall: () => end(server, true),
    connect: async (from, to) => void (await run('jack_connect', [from, to], { env })),
  };
}

/** As `statewave mic` does for itself: waiting for a turn, a quantum at a time, makes minutes of seconds. */
function soundFirst(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Not allowed, or gone already: everything works all the same.
  }
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
  child.stdin!.end();
  if (!shell) child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(late);
}
