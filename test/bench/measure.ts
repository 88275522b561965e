import { setTimeout } from 'node:timers/promises';
import { random, type Random } from '../../src/init/index.ts';
import type { Contender } from './contest.ts';
import type { Effort } from './options.ts';
import { spread, type Spread } from './statistics.ts';

/**
 * Nanoseconds a sample of each contender, interleaved: after a warm-up each has a turn of some milliseconds in every
 * round, in an order that is drawn anew, so that a change of clock or load meets all of them alike and nobody always
 * comes behind the same one. Before each turn the process sleeps for a moment: one that has just run for long is the
 * first that the scheduler interrupts.
 */
export async function measure(contenders: readonly Contender[], effort: Effort): Promise<Spread[]> {
  const pieces: number[] = [];
  for (const contender of contenders) pieces.push(await warmUp(contender, effort));
  const times: number[][] = contenders.map(() => []);
  const source = random(1);
  for (let round = 0; round < effort.rounds; round++) {
    for (const i of shuffled(contenders.length, source)) {
      await setTimeout(1);
      const { run, samples } = contenders[i]!;
      times[i]!.push((await run(pieces[i]!)) / (pieces[i]! * samples));
    }
  }
  return times.map(spread);
}

/** 0 … count − 1 in an order of its own. */
function shuffled(count: number, source: Random): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(source.uniform(0, i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
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
