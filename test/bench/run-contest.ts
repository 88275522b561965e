import { Unavailable, type Contender, type Contest, type Peer } from './contest.ts';
import { measure } from './measure.ts';
import type { Effort } from './options.ts';
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

interface Entry {
  readonly peer: Peer;
  readonly contender: Contender;
  readonly difference: number | undefined;
}

/**
 * Opens all contenders, holds their answers to ours, measures them in turns and closes them.
 *
 * @throws Error where a peer's answer is not ours: then one of the two does not do the work.
 */
export async function runContest(contest: Contest, effort: Effort): Promise<{ rows: Row[]; skips: Skip[] }> {
  const skips: Skip[] = [];
  const skipped = (peer: string, error: unknown): void => {
    if (!(error instanceof Unavailable)) throw error;
    skips.push({ name: contest.name, peer, reason: error.message });
  };
  let mine: Contender;
  try {
    mine = await contest.open();
  } catch (error) {
    for (const { name } of contest.peers) skipped(name, error);
    return { rows: [], skips };
  }
  const entries: Entry[] = [];
  try {
    const expected = contest.probe && (await mine.answer?.(contest.probe));
    for (const peer of contest.peers) {
      try {
        const contender = await peer.open();
        const difference = await compare(contest, peer, contender, expected);
        entries.push({ peer, contender, difference });
      } catch (error) {
        skipped(peer.name, error);
      }
    }
    const [ours, ...theirs] = await measure([mine, ...entries.map(({ contender }) => contender)], effort);
    return { rows: entries.map((entry, i) => row(contest.name, mine, ours!, entry, theirs[i]!)), skips };
  } finally {
    for (const { contender } of entries) await contender.close?.();
    await mine.close?.();
  }
}

async function compare(
  { name, probe, tolerance = 1e-4 }: Contest,
  { otherWork = false }: Peer,
  contender: Contender,
  expected: Float32Array | undefined,
): Promise<number | undefined> {
  if (!probe || !expected || otherWork || !contender.answer) return undefined;
  const answer = await contender.answer(probe);
  let [peak, most] = [0, answer.length === expected.length ? 0 : Infinity];
  for (let i = 0; i < expected.length; i++) {
    peak = Math.max(peak, Math.abs(expected[i]!));
    const off = Math.abs(expected[i]! - answer[i]!);
    most = off <= most ? most : off;
  }
  const difference = most / peak;
  if (!(difference <= tolerance)) {
    throw new Error(
      `${name}: ${contender.name} gives another output than statewave: ${answer.length} numbers for ` +
        `${expected.length}, off by ${difference} of the peak, ${tolerance} is allowed; one of the two is wrong`,
    );
  }
  return difference;
}

function row(
  name: string,
  mine: Contender,
  ours: Spread,
  { peer, contender, difference }: Entry,
  theirs: Spread,
): Row {
  const [oursNs, peerNs] = [ours.median, theirs.median].map(figure) as [number, number];
  const realTime = ({ sampleRate }: Contender, ns: number): number | undefined =>
    sampleRate === undefined ? undefined : figure(ns * 1e-9 * sampleRate);
  const [oursRealTime, peerRealTime] = [realTime(mine, ours.median), realTime(contender, theirs.median)];
  // A second at 16 kHz and one at 48 kHz are the same work, though not the same number of samples.
  const isTimed = oursRealTime !== undefined && peerRealTime !== undefined;
  return {
    name,
    ours: mine.name,
    oursNs,
    oursSpread: [figure(ours.lower), figure(ours.upper)],
    peer: contender.name,
    peerNs,
    peerSpread: [figure(theirs.lower), figure(theirs.upper)],
    speedup: figure(isTimed ? peerRealTime / oursRealTime : peerNs / oursNs),
    ...defined({
      oursRealTime,
      peerRealTime,
      difference: difference === undefined ? undefined : figure(difference),
      target: peer.target?.text,
      holds: peer.target?.holds(ours.median, theirs.median),
    }),
  };
}

/** Four digits: the spread leaves no more. */
const figure = (x: number): number => Number(x.toPrecision(4));

const defined = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
