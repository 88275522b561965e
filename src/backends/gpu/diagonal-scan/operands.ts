/** Text that reads a scan's arrays for one lane at one frame. */
import type { ScanRole } from '../../../ops/diagonal-scan.ts';
import { ONE, ZERO, add, multiply, type Complex } from '../expression.ts';
import type { Source } from '../source.ts';
import type { Layout } from './layout.ts';

/** Names that a thread has given to where it is. */
export interface Lane {
  /** Which sequence of the batch. */
  readonly item: string;
  readonly channel: string;
  readonly state: string;
}

/** n·H + h: where a lane stands in the device's arrays. */
export const laneAt = ({ channels }: Layout, { channel, state }: Lane): string =>
  add(multiply(state, `${channels}`), channel);

/** A thread's lane number as (state, channel). */
export function laneOf(source: Source, layout: Layout, item: string, lane: string): Lane {
  const [state, channel] = source.split(lane, layout.channels);
  return { item, channel, state };
}

/** The element of an operand that lane and frame see; 1 for an absent b or dt, 0 for any other. */
export function operand(source: Source, layout: Layout, role: ScanRole, lane: Lane, frame: string): string {
  const placement = layout.role[role];
  if (!placement) return role === 'b' || role === 'dt' ? ONE : ZERO;
  const { varying, offset, rows, columns } = placement;
  const { channels, frames, width } = layout;
  const row =
    rows === 1
      ? ZERO
      : rows === channels
        ? lane.channel
        : `Math.floor((${lane.channel} + 0.5) / ${channels / rows})`;
  const column = columns === 1 ? ZERO : lane.state;
  const element = add(add(multiply(row, `${columns}`), column), `${offset}`);
  if (!varying) return source.let(role, `constants[${element}]`);
  const first = multiply(add(multiply(lane.item, `${frames}`), frame), `${width}`);
  return source.let(role, `signals[${add(first, element)}]`);
}

export const operandPair = (
  source: Source,
  layout: Layout,
  role: 'u' | 'a' | 'b' | 'c',
  lane: Lane,
  frame: string,
): Complex => [
  operand(source, layout, role, lane, frame),
  layout.complex ? operand(source, layout, `${role}Im`, lane, frame) : ZERO,
];

/** ∂L/∂y of a channel, where the output is contracted. */
export const outputGradient = (
  source: Source,
  { channels, frames }: Layout,
  lane: Lane,
  frame: string,
): string =>
  source.let(
    'dy',
    `dOutput[${add(multiply(add(multiply(lane.item, `${frames}`), frame), `${channels}`), lane.channel)}]`,
  );

/** ∂L/∂x of a lane, where the output is the state itself: the op's order, channel by channel. */
export function stateGradient(source: Source, layout: Layout, lane: Lane, frame: string): Complex {
  const { frames, lanes, states, parts } = layout;
  const row = multiply(add(multiply(lane.item, `${frames}`), frame), `${parts * lanes}`);
  const at = source.let('at', add(add(row, multiply(lane.channel, `${states}`)), lane.state));
  return [
    source.let('dxRe', `dOutput[${at}]`),
    layout.complex ? source.let('dxIm', `dOutput[${add(at, `${lanes}`)}]`) : ZERO,
  ];
}
