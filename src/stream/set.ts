import { ArgumentError, ParameterError } from '../errors.ts';
import { controlsOf, sizeOf, type Control } from '../signal/index.ts';
import type { Changes } from './changes.ts';
import { valueAfter } from './moves.ts';
import { nearestName } from './nearest-name.ts';
import type { Program } from './program.ts';

export interface SetOptions {
  /** Frames over which the value is reached; 0, the default: from the next frame on. */
  readonly ramp?: number;
}

/** How a value that was set comes into force. */
export interface SetResult {
  /**
   * `ramp`: the value itself moves, frame by frame. `crossfade`: the output goes from a fork with the old value to one
   * with the new, by equal gains. `step`: at once.
   */
  readonly by: 'ramp' | 'crossfade' | 'step';
  /** The first frame that it touches, and the first that it is done with. */
  readonly start: number;
  readonly end: number;
}

/** A control of a running stream, as a slider wants it. */
export interface ControlState {
  readonly name: string;
  /** Where it stands now: the value after the last frame. */
  readonly value: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly scale: 'linear' | 'logarithmic';
}

export const leastOf = ({ min = -Infinity }: Control): number => min;

export const greatestOf = ({ max = Infinity }: Control, sampleRate: number | undefined): number =>
  typeof max === 'number' ? max : sampleRate === undefined ? Infinity : max(sampleRate);

/** The controls of a stream after `time` frames. */
export function controlStates(
  { graph, sampleRate }: Program,
  changes: Changes,
  time: number,
): ControlState[] {
  return [...controlsOf(graph).values()].map((control) => {
    const { name, initial, unit = '', scale = 'linear' } = control;
    const move = changes.moves.get(name);
    const value = [...(move ? valueAfter(move, time) : (changes.values.get(name) ?? initial))];
    return { name, value, min: leastOf(control), max: greatestOf(control, sampleRate), unit, scale };
  });
}

/** A value that may be set. */
export interface Setting {
  readonly values: Float64Array;
  readonly frames: number;
  /** Undefined where it is a parameter. */
  readonly control: Control | undefined;
}

/**
 * @throws ParameterError for a name that the model does not know, a wrong length, a value that is not finite or out of
 *   its range; ArgumentError for a ramp that is no number of frames.
 */
export function checkSetting(
  { graph, sampleRate }: Program,
  name: string,
  value: number | ArrayLike<number>,
  { ramp = 0 }: SetOptions,
): Setting {
  const controls = controlsOf(graph);
  const control = controls.get(name);
  const parameter = graph.parameters.get(name);
  const where = `"${name}" of ${graph.name}`;
  if (control === undefined && parameter === undefined) {
    const names = [...controls.keys(), ...graph.parameters.keys()];
    const near = nearestName(name, names);
    throw new ParameterError(
      `${graph.name} has no control or parameter "${name}"; ` +
        (near === undefined
          ? 'it has none at all: its numbers are its configuration'
          : `"${near}" is the nearest name`),
    );
  }
  if (!(Number.isSafeInteger(ramp) && ramp >= 0)) {
    throw new ArgumentError(`set ${where}: ramp is ${ramp}; give a whole number of frames, 0 for at once`);
  }
  const size = control ? control.initial.length : sizeOf(parameter!.shape);
  const values = typeof value === 'number' ? Float64Array.of(value) : Float64Array.from(value);
  if (values.length !== size) {
    throw new ParameterError(
      `${where} got ${values.length} ${values.length === 1 ? 'value' : 'values'}, it holds ${size}; give as many`,
    );
  }
  const [least, greatest] = control
    ? [leastOf(control), greatestOf(control, sampleRate)]
    : [-Infinity, Infinity];
  for (const [i, one] of values.entries()) {
    if (!Number.isFinite(one)) {
      throw new ParameterError(
        `${where} is ${one} at index ${i}; give a finite number, the value before is kept`,
      );
    }
    if (one < least || one > greatest) {
      const unit = control?.unit ? ` ${control.unit}` : '';
      throw new ParameterError(
        `${where} is ${one}${unit}, out of its range ${least} to ${greatest}${unit}; give a value within, the one before is kept`,
      );
    }
  }
  return { values, frames: ramp, control };
}
