import { Disagreement, Unavailable, type Contender, type Contest, type Peer } from './contest.ts';
import { measure } from './measure.ts';
import type { Effort } from './options.ts';
import { makeRow, type Row, type Skip } from './rows.ts';

interface Entry {
  readonly peer: Peer;
  readonly contender: Contender;
  readonly difference: number | undefined;
}

/**
 * Opens all contenders, holds their answers to ours, measures them in turns and closes them. A peer whose answer is not
 * ours is left out like one that is not here, and the process will exit with 1.
 */
export async function runContest(contest: Contest, effort: Effort): Promise<{ rows: Row[]; skips: Skip[] }> {
  const skips: Skip[] = [];
  const skipped = (peer: string, error: unknown): void => {
    if (error instanceof Disagreement) process.exitCode = 1;
    else if (!(error instanceof Unavailable)) throw error;
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
      let contender: Contender | undefined;
      try {
        contender = await peer.open();
        entries.push({ peer, contender, difference: await compare(contest, peer, contender, expected) });
      } catch (error) {
        await contender?.close?.();
        skipped(peer.name, error);
      }
    }
    const [ours, ...theirs] = await measure([mine, ...entries.map(({ contender }) => contender)], effort);
    const rows = entries.map(({ peer: { target }, contender, difference }, i) =>
      makeRow(
        contest.name,
        { ...mine, spread: ours! },
        { ...contender, spread: theirs[i]! },
        { target, difference },
      ),
    );
    return { rows, skips };
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
    throw new Disagreement(
      `${name}: ${contender.name} gives another output than statewave: ${answer.length} numbers for ` +
        `${expected.length}, off by ${difference} of the peak, ${tolerance} is allowed; one of the two is wrong`,
    );
  }
  return difference;
}
