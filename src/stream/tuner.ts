/**
 * Moves the coefficients of one running executor while controls move. They are computed at the knots of `moves.ts` and
 * go straight from knot to knot, frame by frame: a system that lies between two of which neither makes its state longer
 * does not either, so that a filter in such coordinates (`state-variable.ts`) is stable all the way.
 */
import { isConstant, type AnyOp, type Control, type Node, type PrepareCall } from '../signal/index.ts';
import type { Executor } from './executor.ts';
import { endOf, knotAfter, knotBefore, restFrom, valuesAfter, type Moves } from './moves.ts';
import { planOf, type Program } from './program.ts';
import type { Running } from './running.ts';

/** Knots that are computed ahead: 8192 frames, so that a slider's moves cost nothing while blocks are processed. */
const MOST_AHEAD = 512;

/** A node with coefficients of its own, which no other stream shares. */
interface Tuned {
  readonly op: AnyOp;
  readonly prepared: unknown;
  readonly call: PrepareCall<unknown>;
  /** Of the constant inputs that move: their numbers, and where in a row of the table they stand. */
  readonly leaves: readonly { readonly values: Float64Array; readonly at: number }[];
  apply(): void;
}

/** What reads some controls. */
interface Reach {
  /** Constants that follow them, inputs first, and all others that these or the readers need. */
  readonly following: readonly Node[];
  readonly others: readonly Node[];
  /** Nodes that vary in time. */
  readonly readers: readonly Node[];
}

function reachOf({ graph }: Program, controls: ReadonlySet<string>): Reach {
  const following = new Set<Node>();
  const readers: Node[] = [];
  for (const node of graph.nodes) {
    const { source } = node;
    const isControlled =
      source.kind === 'environment' && source.controls?.some(({ name }) => controls.has(name)) === true;
    if (!isControlled && !node.inputs.some((input) => following.has(input))) continue;
    if (isConstant(node)) following.add(node);
    else readers.push(node);
  }
  const needed = new Set<Node>();
  const need = (node: Node): void => {
    if (!isConstant(node) || needed.has(node)) return;
    node.inputs.forEach(need);
    needed.add(node);
  };
  for (const node of [...following, ...readers]) node.inputs.forEach(need);
  return { following: [...following], others: [...needed].filter((node) => !following.has(node)), readers };
}

/** Whether all that reads a control can follow it from frame to frame. */
export function canRamp(program: Program, control: Control): boolean {
  if (control.continuous === false) return false;
  return reachOf(program, new Set([control.name])).readers.every(
    ({ source }) => source.kind === 'op' && source.op.retune !== undefined,
  );
}

/** What a set of moves brings: made before anything changes, since a design may refuse a value. */
export interface Course {
  readonly rest: number;
  readonly moves: Moves;
  readonly readers: readonly Node[];
  readonly values: ReadonlyMap<number, Float64Array>;
  /** By constant that a reader reads: where it stands in a row of the table. */
  readonly places: ReadonlyMap<number, number>;
  /** Times of the knots, and a row of coefficients at each. */
  readonly times: Float64Array;
  readonly table: Float64Array;
  readonly width: number;
  readonly count: number;
  row(time: number, into: Float64Array, at: number): void;
}

export class Tuner {
  readonly #executor: Executor;
  readonly #known = new Map<number, Tuned>();
  #course: Course | undefined;
  #tuned: readonly Tuned[] = [];
  #knot = 0;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  /**
   * What moves do from `time` on. Changes nothing.
   *
   * @param controls those of them whose coefficients are not in place, or do not stay there.
   */
  plan(moves: Moves, controls: ReadonlySet<string>, time: number): Course {
    const { program } = this.#executor;
    const { following, others, readers } = reachOf(program, controls);
    const values = new Map<number, Float64Array>();
    const start = knotBefore(moves, time);
    program.evaluate([...others, ...following], values, valuesAfter(moves, start));
    const places = new Map<number, number>();
    let width = 0;
    for (const node of following) {
      if (!readers.some((reader) => reader.inputs.includes(node))) continue;
      places.set(node.id, width);
      width += values.get(node.id)!.length;
    }
    const rest = restFrom(moves);
    const knots = Math.min(MOST_AHEAD, countKnots(moves, start, rest));
    const course = {
      rest,
      moves,
      readers,
      values,
      places,
      times: new Float64Array(knots),
      table: new Float64Array(knots * width),
      width,
      row(at: number, into: Float64Array, offset: number): void {
        program.evaluate(following, values, valuesAfter(moves, at));
        for (const [id, place] of places) into.set(values.get(id)!, offset + place);
      },
    };
    // Where moves begin and end is where they go furthest: what a design refuses, it refuses now.
    const trial = new Float64Array(width);
    for (const move of moves.values()) {
      for (const edge of [move.start, endOf(move)]) if (edge >= time) course.row(edge, trial, 0);
    }
    return { ...course, count: fill(course, start) };
  }

  /** Takes a course: coefficients are as after `time` frames from now on. */
  begin(course: Course, time: number): void {
    this.#course = course;
    this.#knot = 0;
    this.#tuned = course.readers.map((node) => this.#tune(node, course));
    this.tune(time);
  }

  /** Coefficients as they are after `time` frames, for frame `time − 1`. */
  tune(time: number): void {
    let course = this.#course!;
    while (this.#knot + 1 < course.count && course.times[this.#knot + 1]! <= time) this.#knot++;
    if (this.#knot + 1 === course.count && course.times[this.#knot]! < course.rest) {
      course = this.#course = { ...course, count: fill(course, course.times[this.#knot]!) };
      this.#knot = 0;
    }
    const { times, table, width, rest } = course;
    const from = this.#knot * width;
    const before = times[this.#knot]!;
    const part = time <= before || before >= rest ? 0 : (time - before) / (times[this.#knot + 1]! - before);
    for (let t = 0; t < this.#tuned.length; t++) {
      const { op, prepared, call, leaves } = this.#tuned[t]!;
      for (let l = 0; l < leaves.length; l++) {
        const { values, at } = leaves[l]!;
        for (let i = 0, p = from + at; i < values.length; i++, p++)
          values[i] = part === 0 ? table[p]! : table[p]! + part * (table[p + width]! - table[p]!);
      }
      op.retune!(prepared, call);
      this.#tuned[t]!.apply();
    }
  }

  #tune(node: Node, { values, places }: Course): Tuned {
    let known = this.#known.get(node.id);
    if (known === undefined) {
      known = this.#own(this.#executor.at(node.id), values);
      this.#known.set(node.id, known);
    }
    const { constants } = known.call;
    const leaves = node.inputs.flatMap(({ id }, i) => {
      const at = places.get(id);
      return at === undefined ? [] : [{ values: constants[i]!, at }];
    });
    return { ...known, leaves };
  }

  /** A kernel over the same memory, with coefficients that this stream may write. */
  #own(running: Running, values: ReadonlyMap<number, Float64Array>): Tuned {
    const { program, arena } = this.#executor;
    const { node, run } = running.step;
    const { inputs, output, state } = running;
    const constants = new Map<number, Float64Array>();
    for (const { id } of node.inputs) if (values.has(id)) constants.set(id, values.get(id)!.slice());
    const { op, plan, prepared, request } = planOf(node, program.backend, constants, program.precision);
    const { stateAt, extra } = run!;
    const bound = { stateAt, inputs, output, state };
    const kernel = plan!.bind(arena, extra, bound);
    running.kernel = kernel;
    return {
      op: op!,
      prepared,
      call: request!,
      leaves: [],
      apply: () => {
        if (kernel.retune) kernel.retune();
        else if (kernel.call) plan!.pack?.(arena, extra, bound);
      },
    };
  }
}

function countKnots(moves: Moves, start: number, rest: number): number {
  let count = 1;
  for (let knot = start; knot < rest && count < MOST_AHEAD; knot = knotAfter(moves, knot)) count++;
  return count;
}

/** Computes knots from `time` on until nothing moves any more, or the table is full. Returns how many. */
function fill({ moves, rest, width, times, table, row }: Omit<Course, 'count'>, time: number): number {
  let count = 0;
  for (let knot = time; count < times.length; knot = knotAfter(moves, knot)) {
    times[count] = knot;
    row(knot, table, count * width);
    count++;
    if (knot >= rest) break;
  }
  return count;
}
