import { ArgumentError } from '../../errors.ts';
import type { DataSource } from './described.ts';
import { packBatch } from './item-source.ts';
import { checkOrder, planner, type OrderOptions } from './order.ts';
import { checkPorts, inputOnly, intoPorts, reachOf, widthsOf, type Ports } from './ports.ts';
import type { Recordings } from './recordings/recordings.ts';

export interface CarriedOptions extends OrderOptions {
  /** Stretches of recordings side by side. */
  readonly batch: number;
  /** Frames of a batch: how far gradients reach back. */
  readonly frames: number;
  /**
   * Batches that carry on one another before the state begins anew: a recording is cut into stretches of
   * `chunks × frames` frames, the last of it shorter. 32 by default; Infinity never cuts.
   */
  readonly chunks?: number | undefined;
  /** By default all channels at the port `input`. */
  readonly ports?: Ports | undefined;
}

/**
 * Long recordings for truncated back-propagation: batches carry on one another, item i of each where item i of the one
 * before ended (`carried`). Only stretches with as many batches come side by side, so that no item ever stands still;
 * the order of stretches is new in every epoch.
 *
 * @example
 * const source = carried(recordings, { batch: 8, frames: 4096, ports });
 */
export function carried(recordings: Recordings, options: CarriedOptions): DataSource {
  const { frames, chunks = 32, ports = inputOnly(recordings.channels) } = options;
  const { channels, list } = recordings;
  checkPorts(ports, channels);
  checkOrder(options);
  if (!Number.isSafeInteger(frames) || frames < 1) {
    throw new ArgumentError(`frames: ${frames}; give the frames of a batch, at least 1`);
  }
  if (!(chunks === Infinity || (Number.isSafeInteger(chunks) && chunks >= 1))) {
    throw new ArgumentError(`chunks: ${chunks}; give how many batches carry on one another, at least 1`);
  }
  const reach = reachOf(ports);
  const stretches = list.flatMap(({ frames: length }, recording) => {
    const usable = Math.max(0, length - reach);
    const most = Math.min(usable, chunks * frames);
    return Array.from({ length: usable === 0 ? 0 : Math.ceil(usable / most) }, (_, i) => ({
      recording,
      start: i * most,
      frames: Math.min(most, usable - i * most),
    }));
  });
  const buckets = stretches.map((stretch) => Math.ceil(stretch.frames / frames) * frames);
  const batchesOf = (planned: { readonly frames: number }): number => planned.frames / frames;
  const planOf = planner(buckets, options);
  const batchesPerEpoch = planOf(0).reduce((sum, group) => sum + batchesOf(group), 0);
  if (batchesPerEpoch === 0) {
    throw new ArgumentError(
      `batch: ${stretches.length} stretches make no ${options.batch} of one length side by side; make the batch smaller, or last: 'keep'`,
    );
  }
  const widths = widthsOf(ports);
  return {
    targets: Object.keys(ports.targets),
    batchesPerEpoch,
    facts: { sampleRate: recordings.sampleRate, skipped: recordings.skipped, items: stretches.length },
    *batches(epoch, from) {
      let number = 0;
      for (const group of planOf(epoch)) {
        for (let chunk = 0; chunk < batchesOf(group); chunk++, number++) {
          if (number < from) continue;
          const items = group.items.map((item) => {
            const stretch = stretches[item]!;
            const count = Math.min(frames, stretch.frames - chunk * frames);
            const samples = recordings.read(stretch.recording, stretch.start + chunk * frames, count + reach);
            return intoPorts(samples, count, channels, ports);
          });
          yield { ...packBatch(items, frames, widths), carried: chunk > 0 };
        }
      }
    },
    close: () => Promise.resolve(recordings.close()),
  };
}
