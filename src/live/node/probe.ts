import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BackendError } from '../../errors.ts';
import { fileOf } from './file-of.ts';

/** What to try: what will be opened later, just so. */
export interface ProbeRequest {
  /** Open a microphone: a part of its name, its id, or `default`. */
  readonly microphone?: string | undefined;
  /** Open a loudspeaker: likewise. */
  readonly speaker?: string | undefined;
  /** Hz; by default the loudspeaker's own. */
  readonly sampleRate?: number | undefined;
}

/** What a device said, or why it can't be had. */
export interface Probed {
  /** Where a loudspeaker was asked for and opened: Hz it runs at. */
  readonly outputRate?: number;
  readonly outputError?: string;
  readonly microphone?: 'open';
  readonly microphoneError?: string;
  /** Nothing of it loads: no package, no system library. */
  readonly loadError?: string;
}

const PATIENCE_MS = 20_000;

/**
 * Opens devices in a process of its own and closes them again: where there is no input device, `node-web-audio-api`
 * 2.2 ends the whole process instead of reporting it.
 *
 * @throws BackendError where the package can't be loaded, with what to install.
 */
export async function probe(request: ProbeRequest): Promise<Probed> {
  const file = fileURLToPath(fileOf('./probe-child'));
  const child = spawn(process.execPath, [file, JSON.stringify(request)], {
    // What ALSA prints about cards that are not there goes nowhere.
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE_MS,
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...ended) => resolve(ended));
  });
  const found: Probed = Object.assign({}, ...lines(said)) as Probed;
  if (found.loadError !== undefined) throw new BackendError(found.loadError);
  const silent = request.microphone !== undefined && !found.microphone && !found.microphoneError;
  return silent ? { ...found, microphoneError: howItEnded(status, signal) } : found;
}

const lines = (text: string): object[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as object);

function howItEnded(status: number | null, signal: string | null): string {
  if (signal === 'SIGABRT' || status === 134) return 'there is none, or another program holds it';
  if (signal === 'SIGTERM') return `it did not open within ${PATIENCE_MS / 1000} s`;
  return `opening it ended with ${signal ?? `status ${status}`}`;
}
