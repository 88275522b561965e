import { SnapshotError } from '../errors.ts';
import { controlsOf, sizeOf, type Graph } from '../signal/index.ts';
import { type Move, type Moves } from './moves.ts';
import type { Settings } from './program.ts';
import { section, sectionsOf, type OpenSnapshot, type Section } from './snapshot.ts';
import type { Executor } from './executor.ts';

/** Values on their way in by a crossfade: over output frames `start` to `start + frames`. */
export interface Fade {
  readonly start: number;
  readonly frames: number;
  readonly values: Settings;
}

/** All that was set since a stream was compiled. */
export interface Changes {
  /** Values that are in force. */
  readonly values: Settings;
  /** Controls that ramp, or have. */
  readonly moves: Moves;
  readonly fade?: Fade | undefined;
  /** What waits for the crossfade to end. */
  readonly next?: Omit<Fade, 'start'> | undefined;
}

export const noChanges: Changes = { values: new Map(), moves: new Map() };

/** Values of everything that was set, controls where they are going to. */
export const settingsOf = ({ values, moves }: Changes, more: Settings = new Map()): Settings =>
  new Map([...values, ...[...moves].map(([name, { to }]) => [name, to] as const), ...more]);

/** Names of sections that `Stream.set` is behind begin like this; no path of a node does. */
const MARK = '@';
const FADING = `${MARK}fading/`;

/** What was set, as sections of a snapshot. @param fading the executor that a crossfade goes to. */
export function writeChanges({ values, moves, fade, next }: Changes, fading?: Executor): Section[] {
  const all = (kind: string, settings: Settings): Section[] =>
    [...settings].map(([name, data]) => section(`${MARK}${kind}:${name}`, data));
  return [
    ...all('value', values),
    ...[...moves].map(([name, { from, to, start, frames }]) =>
      section(`${MARK}move:${name}`, Float64Array.of(start, frames, ...from, ...to)),
    ),
    ...(fade ? [section(`${MARK}fade`, Float64Array.of(fade.start, fade.frames))] : []),
    ...all('fade', fade?.values ?? new Map()),
    ...(next ? [section(`${MARK}next`, Float64Array.of(next.frames))] : []),
    ...all('next', next?.values ?? new Map()),
    ...(fading ? sectionsOf(fading, FADING) : []),
  ];
}

/** The prefix of the sections of the executor that a crossfade goes to. */
export const fadingPrefix = FADING;

/**
 * What a snapshot says was set; undefined where nothing was.
 *
 * @throws SnapshotError for a name that the model does not know, or numbers that are none of its.
 */
export function readChanges({ sections }: OpenSnapshot, graph: Graph): Changes | undefined {
  const controls = controlsOf(graph);
  const values = new Map<string, Float64Array>();
  const moves = new Map<string, Move>();
  const fading = new Map<string, Float64Array>();
  const waiting = new Map<string, Float64Array>();
  let fade: Float64Array | undefined;
  let next: Float64Array | undefined;
  let any = false;
  for (const [key, bytes] of sections) {
    if (!key.startsWith(MARK) || key.startsWith(FADING)) continue;
    any = true;
    const colon = key.indexOf(':');
    const kind = key.slice(MARK.length, colon < 0 ? undefined : colon);
    const name = colon < 0 ? undefined : key.slice(colon + 1);
    const known = name === undefined ? undefined : sizeOfName(graph, controls, name);
    const expected =
      name === undefined ? (kind === 'fade' ? 2 : 1) : kind === 'move' ? 2 + 2 * (known ?? 0) : known;
    const numbers = bytes.length % 8 === 0 ? new Float64Array(bytes.buffer as ArrayBuffer) : undefined;
    if (numbers?.length !== expected || numbers?.some((value) => !Number.isFinite(value)) !== false) {
      throw new SnapshotError(
        `section "${key}" of the snapshot holds ${bytes.length / 8} numbers, ${expected ?? 'none'} are needed; ` +
          'it is of another model or build',
      );
    }
    if (kind === 'move') {
      const size = known!;
      moves.set(name!, {
        control: controls.get(name!)!,
        start: numbers[0]!,
        frames: numbers[1]!,
        from: numbers.slice(2, 2 + size),
        to: numbers.slice(2 + size),
      });
    } else if (name === undefined) {
      if (kind === 'fade') fade = numbers;
      else next = numbers;
    } else {
      (kind === 'value' ? values : kind === 'fade' ? fading : waiting).set(name, numbers);
    }
  }
  if (!any) return undefined;
  return {
    values,
    moves,
    fade: fade && { start: fade[0]!, frames: fade[1]!, values: fading },
    next: next && { frames: next[0]!, values: waiting },
  };
}

function sizeOfName(graph: Graph, controls: ReturnType<typeof controlsOf>, name: string): number | undefined {
  const node = graph.parameters.get(name);
  return node ? sizeOf(node.shape) : controls.get(name)?.initial.length;
}
