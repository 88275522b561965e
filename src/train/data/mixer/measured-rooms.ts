import { statSync } from 'node:fs';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createResampler } from '../../../audio/resample.ts';
import { ArgumentError, FormatError } from '../../../errors.ts';
import { audioFiles, byCodeUnits } from '../files.ts';
import { readNpz } from '../npz.ts';
import { openRecordings } from '../recordings/open-recordings.ts';
import { prepareRoom, type Room } from './room.ts';

/**
 * Measured impulse responses of rooms.
 *
 * @param places folders or files: recordings of responses (every channel counts as one), or `.npz` files with an array
 *   `ir` (… × taps, every row a response) and its rate `fs` in Hz.
 * @param early see `prepareRoom`.
 * @throws ArgumentError where there are none, FormatError for damaged files.
 * @example const rooms = await measuredRooms(['rir'], 16_000, 0.05);
 */
export async function measuredRooms(
  places: string | readonly string[],
  sampleRate: number,
  early: number,
): Promise<Room[]> {
  const rooms: Room[] = [];
  for (const place of typeof places === 'string' ? [places] : places) {
    const arrays = npzFiles(place);
    for (const path of arrays) {
      for (const response of responsesOf(path, sampleRate))
        rooms.push(prepareRoom(response, sampleRate, early));
    }
    if (arrays.length > 0) continue;
    const recordings = await openRecordings({
      files: audioFiles(place),
      sampleRate,
      sampleType: 'float32',
      downmix: 'first',
    });
    for (const [i, { frames }] of recordings.list.entries()) {
      rooms.push(prepareRoom(recordings.read(i, 0, frames), sampleRate, early));
    }
  }
  if (rooms.length === 0) throw new ArgumentError('rooms: no impulse responses; give a folder with some');
  return rooms;
}

function npzFiles(place: string): string[] {
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return place.endsWith('.npz') ? [place] : [];
  return readdirSync(place)
    .filter((name) => name.endsWith('.npz'))
    .sort(byCodeUnits)
    .map((name) => join(place, name));
}

function responsesOf(path: string, sampleRate: number): Float32Array[] {
  const arrays = readNpz(path);
  const responses = arrays.get('ir');
  const rate = arrays.get('fs')?.data[0];
  if (responses === undefined || rate === undefined) {
    throw new FormatError(
      `${path}: arrays ${[...arrays.keys()].join(', ')}; responses are to be called "ir", their rate in Hz "fs"`,
    );
  }
  const taps = responses.shape.at(-1) ?? 0;
  return Array.from({ length: taps === 0 ? 0 : responses.data.length / taps }, (_, i) => {
    const response = responses.data.slice(i * taps, (i + 1) * taps);
    if (rate === sampleRate) return response;
    const resampler = createResampler({ from: rate, to: sampleRate, channels: 1 });
    return Float32Array.from([...resampler.process(response), ...resampler.end()]);
  });
}
