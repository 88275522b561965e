import { ArgumentError } from '../../errors.ts';
import { loadWebAudio, type DeviceInfo, type WebAudio } from './web-audio.ts';

/**
 * The devices of this machine.
 *
 * @throws BackendError where `node-web-audio-api` can't be loaded.
 */
export async function listDevices(): Promise<DeviceInfo[]> {
  const audio = await loadWebAudio();
  return audio.mediaDevices.enumerateDevices();
}

/**
 * The id of the device that is meant; undefined for the default one.
 *
 * @param name `default`, an id, or a part of one label, in any case.
 * @throws ArgumentError where none is, or several are; the message lists them.
 */
export async function findDevice(
  { mediaDevices }: WebAudio,
  kind: DeviceInfo['kind'],
  name: string,
): Promise<string | undefined> {
  if (name === 'default') return undefined;
  const all = (await mediaDevices.enumerateDevices()).filter((device) => device.kind === kind);
  const exact = all.find(({ deviceId }) => deviceId === name);
  if (exact !== undefined) return exact.deviceId;
  const found = all.filter(({ label }) => label.toLowerCase().includes(name.toLowerCase()));
  if (found.length === 1) return found[0]!.deviceId;
  const what = kind === 'audioinput' ? 'microphone' : 'loudspeaker';
  const labels = (found.length === 0 ? all : found).map(({ label }) => `"${label}"`).join(', ');
  throw new ArgumentError(
    `${found.length === 0 ? 'no' : 'more than one'} ${what} is called "${name}"; there ${all.length === 1 ? 'is' : 'are'} ${labels || 'none'}`,
  );
}
