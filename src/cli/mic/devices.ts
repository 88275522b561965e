import { BackendError } from '../../errors.ts';
import { listDevices, probe } from '../../live/node/index.ts';
import type { Destinations, MicOptions } from './options.ts';

/** Where neither a loudspeaker nor the command line names a rate. */
const USUAL_RATE = 48_000;

/** What a run opens, and how. */
interface Device {
  /** Hz. */
  readonly sampleRate: number;
  /** A loudspeaker that gives a recording its clock, and stays silent. */
  readonly clock: string | undefined;
}

/**
 * Tries the devices that are wanted, in a process of its own, and says at which rate they will run.
 *
 * @throws BackendError where one can't be had, with what to do instead.
 */
export async function tryDevices(
  options: MicOptions,
  { speaker, file }: Destinations,
  fileRate?: number,
): Promise<Device> {
  const microphone = options.input === undefined ? (options.device ?? 'default') : undefined;
  const sampleRate = options.rate ?? (speaker === undefined ? fileRate : undefined);
  // Without a loudspeaker the rate of the default one is a good guess at the microphone's.
  const records = microphone !== undefined && file !== undefined;
  const guesses = microphone !== undefined && sampleRate === undefined;
  const asked = speaker ?? (records || guesses ? 'default' : undefined);
  const found = await probe({ microphone, speaker: asked, sampleRate });
  if (speaker !== undefined && found.outputRate === undefined) {
    throw new BackendError(
      `no loudspeaker could be opened (${found.outputError ?? 'it says nothing'}); plug one in, or use --output none or --output FILE.wav`,
    );
  }
  if (microphone !== undefined && found.microphone === undefined) {
    throw new BackendError(
      `no microphone could be opened (${found.microphoneError ?? 'it says nothing'}); plug one in, name one (--list-devices, --device), or use --input FILE.wav`,
    );
  }
  const clock = records && found.outputRate !== undefined ? 'default' : undefined;
  return { sampleRate: sampleRate ?? found.outputRate ?? USUAL_RATE, clock };
}

/** `--list-devices`. */
export async function printDevices(json: boolean): Promise<void> {
  const devices = await listDevices();
  if (json) {
    console.log(JSON.stringify(devices, null, 2));
    return;
  }
  for (const [kind, title] of [
    ['audioinput', 'Microphones'],
    ['audiooutput', 'Loudspeakers'],
  ] as const) {
    console.log(`${title}:`);
    const found = devices.filter((device) => device.kind === kind);
    for (const { label, deviceId } of found) console.log(`  ${label}  (${deviceId})`);
    if (found.length === 0) console.log('  none');
  }
}
