import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Unavailable, within } from '../contest.ts';
import { figure, makeRow } from '../rows.ts';
import { spread } from '../statistics.ts';
import type { Check, Findings } from './check.ts';
import type { Life } from './fresh-process.ts';
import { subjects } from './models.ts';

const program = fileURLToPath(new URL('fresh-process.ts', import.meta.url));

/** Each subject's first block in fresh processes against its own steady state. */
export const firstBlock: Check = {
  name: 'first block',
  about:
    'The first block of a fresh process after `compile`, against a block of the same stream once warm; `compile` includes the warm-up.',
  run({ name }) {
    const found = Object.keys(subjects).map((subject) => lives(subject, name === 'quick' ? 3 : 15));
    return {
      rows: found.flatMap(({ rows = [] }) => rows),
      figures: found.flatMap(({ figures = [] }) => figures),
      skips: found.flatMap(({ skips = [] }) => skips),
    };
  },
};

function lives(subject: string, processes: number): Findings {
  const name = `first block ${subject}`;
  try {
    subjects[subject]!();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { skips: [{ name, peer: 'steady state', reason: error.message }] };
  }
  const all = Array.from({ length: processes }, (): Life => {
    const text = execFileSync(process.execPath, [program, subject], { encoding: 'utf8' });
    return JSON.parse(text) as Life;
  });
  const { block } = all[0]!;
  const perSample = (key: 'first' | 'steady' | 'freshCaller') => spread(all.map((life) => life[key] / block));
  const milliseconds = spread(all.map(({ compile }) => compile / 1e6)).median;
  const mine = { name: 'statewave, first block', spread: perSample('first') };
  return {
    rows: [
      makeRow(
        name,
        mine,
        { name: 'statewave, steady state', spread: perSample('steady') },
        { target: within(3) },
      ),
      makeRow(
        name,
        mine,
        {
          name: 'statewave, long warm, called by code that runs for the first time',
          spread: perSample('freshCaller'),
        },
        {},
      ),
    ],
    figures: [
      { name: `compile ${subject}`, value: figure(milliseconds), unit: 'ms' },
      {
        name: `a method that does nothing, called as the first block of ${subject} is`,
        value: figure(spread(all.map(({ nothing }) => nothing)).median),
        unit: `ns, ${figure(spread(all.map(({ first }) => first)).median)} with the block`,
      },
    ],
  };
}
