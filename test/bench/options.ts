import { parseArgs } from 'node:util';

/** How long and how often things are measured. */
export interface Effort {
  readonly name: 'quick' | 'full';
  /** Rounds in which every contender of a contest has its turn. */
  readonly rounds: number;
  /** Milliseconds of one turn. */
  readonly burst: number;
  /** Milliseconds that a contender runs before it is measured; engines compile in the background meanwhile. */
  readonly warmUp: number;
}

const EFFORTS = {
  quick: { name: 'quick', rounds: 5, burst: 2, warmUp: 60 },
  // Shorter than a scheduler's slice, so that most turns are whole also on a machine that others use.
  full: { name: 'full', rounds: 151, burst: 3, warmUp: 600 },
} as const satisfies Record<string, Effort>;

export interface BenchOptions {
  readonly effort: Effort;
  /** Contests and charts whose name matches; all without it. */
  readonly only: RegExp | undefined;
  /** Whether docs/benchmarks.md and its charts are written: after a full run of everything, or when asked. */
  readonly docs: boolean;
  /** Measure nothing: the page and the charts from the results that are there. */
  readonly render: boolean;
}

export const USAGE = `npm run bench -- [options]

  --quick           short turns and few rounds: shows that all of it runs, not how fast
  --only PATTERN    contests and charts whose name matches this regular expression
  --docs            write docs/benchmarks.md and its charts also after a quick or partial run
  --render          measure nothing, write the page and the charts from the last results
  --help

Writes test/bench/results.json (a row for each contest and peer) and test/bench/run.json (machine, charts, what was
left out and why).`;

/** @throws Error on unknown options or a pattern that is no regular expression. */
export function readOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      docs: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    effort: values.quick ? EFFORTS.quick : EFFORTS.full,
    only: values.only === undefined ? undefined : new RegExp(values.only, 'i'),
    docs: values.docs || values.render || (!values.quick && values.only === undefined),
    render: values.render,
  };
}
