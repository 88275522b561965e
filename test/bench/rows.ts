import type { Target } from './contest.ts';
import type { Spread } from './statistics.ts';

/** One line of results.json: ours against one peer, nanoseconds a sample, medians; the spread is the quartiles. */
export interface Row {
  readonly name: string;
  readonly ours: string;
  readonly oursNs: number;
  readonly oursSpread: readonly [number, number];
  readonly peer: string;
  readonly peerNs: number;
  readonly peerSpread: readonly [number, number];
  /** peerNs / oursNs, or the ratio of the real-time factors where both have one: how many times faster ours is. */
  readonly speedup: number;
  /** Time of the work as a share of the time that it lasts, one thread. */
  readonly oursRealTime?: number;
  readonly peerRealTime?: number;
  /** Largest difference of the outputs, relative to the peak of ours; absent where the peer does other work. */
  readonly difference?: number;
  readonly target?: string;
  readonly holds?: boolean;
}

/** What could not be measured here, and why. */
export interface Skip {
  readonly name: string;
  readonly peer: string;
  readonly reason: string;
}

/** Somebody's time. */
interface Timed {
  readonly name: string;
  /** Nanoseconds a sample. */
  readonly spread: Spread;
  readonly sampleRate?: number | undefined;
}

export function makeRow(
  name: string,
  ours: Timed,
  peer: Timed,
  { target, difference }: { readonly target?: Target | undefined; readonly difference?: number | undefined },
): Row {
  const [oursNs, peerNs] = [ours.spread.median, peer.spread.median];
  const [oursRealTime, peerRealTime] = [realTime(ours), realTime(peer)];
  // A second at 16 kHz and one at 48 kHz are the same work, though not the same number of samples.
  const isLive = oursRealTime !== undefined && peerRealTime !== undefined;
  return {
    name,
    ours: ours.name,
    oursNs: figure(oursNs),
    oursSpread: quartiles(ours.spread),
    peer: peer.name,
    peerNs: figure(peerNs),
    peerSpread: quartiles(peer.spread),
    speedup: figure(isLive ? peerRealTime / oursRealTime : peerNs / oursNs),
    ...(oursRealTime === undefined ? {} : { oursRealTime: figure(oursRealTime) }),
    ...(peerRealTime === undefined ? {} : { peerRealTime: figure(peerRealTime) }),
    ...(difference === undefined ? {} : { difference: figure(difference) }),
    ...(target === undefined ? {} : { target: target.text, holds: target.holds(oursNs, peerNs) }),
  };
}

const realTime = ({ sampleRate, spread }: Timed): number | undefined =>
  sampleRate === undefined ? undefined : spread.median * 1e-9 * sampleRate;

/** Four digits: the spread leaves no more. */
export const figure = (x: number): number => Number(x.toPrecision(4));

const quartiles = ({ lower, upper }: Spread): [number, number] => [figure(lower), figure(upper)];
