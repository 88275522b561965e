/**
 * The parallel part of the scan: the state at the start of every chunk, through a tree of radix R over the
 * chunks. A node is what its frames do to a state, x ← x + (P·x + S).
 *
 *     reduce    frames  → the nodes of the chunks
 *     combine   R nodes → one of the next level, until RADIX or fewer are left
 *     expand    the starts of a level's nodes from those of the level above
 *
 * Work and memory are those of the first level; where coefficients stand still P = Ā^(T·Rˡ) − 1 comes from a table.
 * Source: Blelloch, "Prefix sums and their applications" (1990), §1.4; the operator is that of S5 (2208.04933, §2.4).
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | S, P | nodes of a level; P where coefficients vary | B × nodes × (S re, [S im], [P re, [P im]]) × J |
 * | x | starts of a level | B × nodes × parts × J |
 */
import { ZERO, add, conjugate, multiply, type Complex } from '../expression.ts';
import type { Step } from '../program.ts';
import { Source } from '../source.ts';
import { RADIX, type Layout } from './layout.ts';
import { laneAt, laneOf, type Lane } from './operands.ts';
import { advance, frameAt, recurrence, type Direction, type Motion } from './recurrence.ts';
import { powerOf, stillEntry } from './still.ts';

/** Arrays that a direction's recurrence reads. */
export const recurrenceInputs = (direction: Direction): readonly string[] =>
  direction === 'forward' ? ['signals', 'constants'] : ['signals', 'constants', 'dOutput'];

/** The starts of the chunks; absent where there is one chunk, which starts from 0. */
export const startsOf = (layout: Layout, direction: Direction): string | undefined =>
  layout.levels.length > 0 ? `${direction}Starts0` : undefined;

/** All steps that give `startsOf`. */
export function tree(layout: Layout, direction: Direction): Step[] {
  const { levels } = layout;
  return [
    ...levels.map((_, level) =>
      level === 0 ? reduce(layout, direction) : combine(layout, direction, level),
    ),
    ...levels.map((_, level) => expand(layout, direction, level)).toReversed(),
  ];
}

const nodeNumbers = ({ parts, still }: Layout): number => (still ? parts : 2 * parts);

function reduce(layout: Layout, direction: Direction): Step {
  const { batch, chunk, lanes, levels, frames, still, complex } = layout;
  const source = new Source();
  const [item, node, number, laneNumber] = source.thread(levels[0]!, nodeNumbers(layout), lanes) as Four;
  const lane = laneOf(source, layout, item, laneNumber);
  const motion = recurrence(source, layout, direction, lane);
  const sum = source.complexVariable('sum', complex);
  const power = source.complexVariable('power', complex);
  source.loop('s', '0', `${chunk}`, (s) => {
    const position = source.let('p', add(multiply(node, `${chunk}`), s));
    const frame = source.let('t', frameAt(layout, direction, position));
    source.when(`${frame} < ${frames}`, () => {
      const moved = motion(frame);
      advance(source, sum, moved);
      // (1 + P)(1 + d) − 1 = P + (d P + d): powers compose like states.
      if (!still) advance(source, power, { decay: moved.decay, drive: moved.decay });
    });
  });
  return {
    output: `${direction}Nodes0`,
    inputs: recurrenceInputs(direction),
    length: batch * levels[0]! * nodeNumbers(layout) * lanes,
    source: source.kernel(recurrenceInputs(direction), chooseNumber(source, layout, number, sum, power)),
  };
}

function combine(layout: Layout, direction: Direction, level: number): Step {
  const { batch, lanes, levels, complex, still } = layout;
  const below = `${direction}Nodes${level - 1}`;
  const inputs = ['constants', below];
  const source = new Source();
  const [item, node, number, laneNumber] = source.thread(levels[level]!, nodeNumbers(layout), lanes) as Four;
  const lane = laneOf(source, layout, item, laneNumber);
  const read = nodeReader(source, layout, direction, level - 1, lane);
  const sum = source.complexVariable('sum', complex);
  const power = source.complexVariable('power', complex);
  source.loop('j', '0', `${RADIX}`, (j) => {
    const child = source.let('child', add(multiply(node, `${RADIX}`), j));
    source.when(`${child} < ${levels[level - 1]!}`, () => {
      const { decay, drive } = read(child);
      advance(source, sum, { decay, drive });
      if (!still) advance(source, power, { decay, drive: decay });
    });
  });
  return {
    output: `${direction}Nodes${level}`,
    inputs,
    length: batch * levels[level]! * nodeNumbers(layout) * lanes,
    source: source.kernel(inputs, chooseNumber(source, layout, number, sum, power)),
  };
}

function expand(layout: Layout, direction: Direction, level: number): Step {
  const { batch, lanes, levels, complex, parts } = layout;
  const above = level + 1 < levels.length ? `${direction}Starts${level + 1}` : undefined;
  const inputs = ['constants', `${direction}Nodes${level}`, ...(above ? [above] : [])];
  const source = new Source();
  const [item, node, part, laneNumber] = source.thread(levels[level]!, parts, lanes) as Four;
  const lane = laneOf(source, layout, item, laneNumber);
  const read = nodeReader(source, layout, direction, level, lane);
  const parent = source.let('parent', `Math.floor((${node} + 0.5) / ${RADIX})`);
  const x = source.complexVariable('x', complex);
  if (above) source.setComplex(x, startAt(source, layout, above, levels[level + 1]!, lane, parent));
  source.loop('j', `${parent} * ${RADIX}`, node, (j) => advance(source, x, read(j)));
  return {
    output: `${direction}Starts${level}`,
    inputs,
    length: batch * levels[level]! * parts * lanes,
    source: source.kernel(inputs, source.choose(part, complex ? x : [x[0]])),
  };
}

/** A start out of an array of them. */
export function startAt(
  source: Source,
  layout: Layout,
  array: string,
  nodes: number,
  lane: Lane,
  node: string,
): Complex {
  const { lanes, parts, complex } = layout;
  const row = multiply(add(multiply(lane.item, `${nodes}`), node), `${parts * lanes}`);
  const at = source.let('at', add(row, laneAt(layout, lane)));
  return [
    source.let('startRe', `${array}[${at}]`),
    complex ? source.let('startIm', `${array}[${at} + ${lanes}]`) : ZERO,
  ];
}

function nodeReader(
  source: Source,
  layout: Layout,
  direction: Direction,
  level: number,
  lane: Lane,
): (node: string) => Motion {
  const { lanes, parts, complex, levels, still } = layout;
  const array = `${direction}Nodes${level}`;
  const power = still ? stillEntry(source, layout, powerOf(level), lane) : undefined;
  return (node) => {
    const row = multiply(
      add(multiply(lane.item, `${levels[level]!}`), node),
      `${nodeNumbers(layout) * lanes}`,
    );
    const at = source.let('at', add(row, laneAt(layout, lane)));
    const pair = (first: number): Complex => [
      source.let('nodeRe', `${array}[${at} + ${first * lanes}]`),
      complex ? source.let('nodeIm', `${array}[${at} + ${(first + 1) * lanes}]`) : ZERO,
    ];
    // The table holds Ā; a backward scan's own nodes have been conjugated frame by frame.
    const decay = power ? (direction === 'forward' ? power : conjugate(power)) : pair(parts);
    return { decay, drive: pair(0) };
  };
}

const chooseNumber = (
  source: Source,
  { complex, still }: Layout,
  number: string,
  sum: Complex,
  power: Complex,
): string => {
  const of = (value: Complex): readonly string[] => (complex ? value : [value[0]]);
  return source.choose(number, still ? of(sum) : [...of(sum), ...of(power)]);
};

type Four = [string, string, string, string];
