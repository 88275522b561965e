import type { Contender } from './contest.ts';
import type { Effort } from './options.ts';
import { spread, type Spread } from './statistics.ts';

/**
 * Nanoseconds a sample of each contender, interleaved: after a warm-up each has a turn of some milliseconds in every
 * round, and the order rotates, so that a change of clock or load meets all of them alike.
 */
export async function measure(contenders: readonly Contender[], effort: Effort): Promise<Spread[]> {
  const pieces: number[] = [];
  for (const contender of contenders) pieces.push(await warmUp(contender, effort));
  const times: number[][] = contenders.map(() => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const i = (round + turn) % contenders.length;
      const { run, samples } = contenders[i]!;
      times[i]!.push((await run(pieces[i]!)) / (pieces[i]! * samples));
    }
  }
  return times.map(spread);
}

/** Runs it until it is warm; returns how many pieces fill one turn. */
async function warmUp({ run }: Contender, { warmUp, burst }: Effort): Promise<number> {
  let pieces = 1;
  let spent = 0;
  for (;;) {
    const ns = await run(pieces);
    spent += ns;
    const wanted = Math.max(1, Math.round((pieces * burst * 1e6) / Math.max(ns, 1)));
    if (spent >= warmUp * 1e6) return wanted;
    // Growing at most fourfold: the first pieces are slower than what comes.
    pieces = Math.min(wanted, 4 * pieces);
  }
}

/**
 * The fastest of several forms of one contender, each tried for a moment; the others are closed. Peers whose best
 * form depends on the machine get it that way.
 */
export async function fastest(forms: readonly Contender[], trial = 30): Promise<Contender> {
  let best: Contender | undefined;
  let least = Infinity;
  for (const form of forms) {
    const [time] = await measure([form], { name: 'quick', rounds: 5, burst: trial / 5, warmUp: 2 * trial });
    if (time!.median < least) {
      await best?.close?.();
      [best, least] = [form, time!.median];
    } else await form.close?.();
  }
  return best!;
}
