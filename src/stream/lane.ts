import type { Arena } from '../backends/backend.ts';
import { Executor } from './executor.ts';
import type { NonFinitePolicy } from './non-finite.ts';
import { InputPorts, OutputPorts } from './ports.ts';
import type { Program } from './program.ts';
import { openSnapshot, readSnapshot, writeSnapshot } from './snapshot.ts';
import { Straight } from './straight.ts';
import { Tuner } from './tuner.ts';

/** A program running over memory of its own, with its ports: a stream has one, and two while it fades. */
export class Lane {
  readonly program: Program;
  readonly executor: Executor;
  readonly inputs: InputPorts;
  readonly outputs: OutputPorts;
  readonly straight: Straight | undefined;
  #tuner: Tuner | undefined;

  /** @param origin, arena as `Executor` takes them. */
  constructor(program: Program, origin?: Executor, arena?: Arena) {
    this.program = program;
    this.executor = new Executor(program, origin, arena);
    this.inputs = new InputPorts(program, this.executor);
    this.outputs = new OutputPorts(program, this.executor);
    this.straight = Straight.through(this.executor, this.inputs, this.outputs);
  }

  get tuner(): Tuner {
    return (this.#tuner ??= new Tuner(this.executor));
  }

  /** The state of another lane, of the same model with other values or at another rate. */
  takeOver(from: Lane, frames: number, ended: boolean): void {
    const held = from.inputs.ports.map((port) => port.held);
    const snapshot = openSnapshot(writeSnapshot(from.program, from.executor, { frames, ended, held }));
    readSnapshot(this.program, this.executor, snapshot, from.program);
    this.hold(held);
  }

  /** The last finite values of every input channel. */
  hold(held: readonly Float64Array[]): void {
    this.inputs.ports.forEach((port, i) => port.held.set(held[i]!));
  }

  /** The frames that `lead` takes too, into room of its own, for `blend`. */
  follow(lead: Lane, first: number, count: number, policy: NonFinitePolicy, seen: number): void {
    this.inputs.share(lead.inputs);
    this.inputs.feed(this.executor, first, count, policy, seen, undefined);
    this.executor.pass();
    this.outputs.drainToRoom();
  }
}
