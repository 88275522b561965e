/** Where in a checkpoint the model's tensors are. */
import { ArgumentError, FormatError } from '../../errors.ts';
import { listSome, quote } from '../message.ts';
import { nearestName } from '../similar-name.ts';
import { tensorsIn } from './survey.ts';
import { kindOf, PyDict, type Key, type Value } from './values.ts';

/** A dictionary and the keys that lead to it from the top. */
export interface Root {
  readonly top: PyDict;
  readonly dict: PyDict;
  readonly path: readonly Key[];
}

/** What training keeps beside a model. Tensors under such keys are not taken for the model's. */
const TRAINING_STATE = /(^|_)(optim|optimi[sz]ers?|sched|schedulers?|scaler|rng|callbacks|loops)(_|$)/i;
export const isTrainingState = (key: Key): boolean => typeof key === 'string' && TRAINING_STATE.test(key);

/**
 * The dictionary at `wanted`, or by default the one that holds tensors: from the top down as long as a
 * dictionary has no tensor of its own and exactly one dictionary with tensors in it, the training's state
 * (optimisers, schedulers, random generators) left aside.
 *
 * @param wanted keys joined by dots; keys may have dots themselves. `''` is the top.
 * @throws FormatError when the default is not clear; ArgumentError when there is no dictionary at `wanted`.
 */
export function findRoot(top: Value, wanted: string | undefined, source: string): Root {
  if (!(top instanceof PyDict)) {
    throw new FormatError(
      `${source}: holds ${kindOf(top)} instead of a dictionary of tensors; save model.state_dict()`,
    );
  }
  return wanted === undefined ? descend(top, source) : lead(top, wanted, source);
}

function descend(top: PyDict, source: string): Root {
  const path: Key[] = [];
  let dict = top;
  for (;;) {
    const holders = [...dict.entries].filter(([key, value]) => !isTrainingState(key) && tensorsIn(value) > 0);
    // A tensor, or a list of tensors: this is the model's dictionary.
    if (holders.some(([, value]) => !(value instanceof PyDict))) return { top, dict, path };
    const [first, ...more] = holders;
    if (!first) throw new FormatError(`${source}: holds no tensors of a model; save model.state_dict()`);
    if (more.length > 0) {
      const found = holders.map(
        ([key, value]) => `${quote(nameOf([...path, key]))} (${tensorsIn(value)} tensors)`,
      );
      throw new FormatError(
        `${source}: tensors are below several keys: ${listSome(found)}; give one of them as root, or ${quote(nameOf(path))} for all`,
      );
    }
    path.push(first[0]);
    dict = first[1] as PyDict;
  }
}

function lead(top: PyDict, wanted: string, source: string): Root {
  let dict = top;
  const path: Key[] = [];
  for (let rest: string | undefined = wanted === '' ? undefined : wanted; rest !== undefined;) {
    const wish: string = rest;
    const steps = [...dict.entries].filter(
      ([key, value]) =>
        value instanceof PyDict && (wish === String(key) || wish.startsWith(`${String(key)}.`)),
    );
    // The longest key that fits: `a.b` before `a`.
    const [step] = steps.sort(([a], [b]) => String(b).length - String(a).length);
    if (!step) {
      const below = [...dict.entries]
        .filter(([, value]) => value instanceof PyDict)
        .map(([key]) => String(key));
      const near = nearestName(wish, below);
      const cure =
        near === undefined ? `there are ${listSome(below.map(quote)) || 'none'}` : `is it ${quote(near)}?`;
      throw new ArgumentError(
        `${source}: root ${quote(wanted)}: no dictionary ${quote(wish)} in ${quote(nameOf(path))}; ${cure}`,
      );
    }
    path.push(step[0]);
    dict = step[1] as PyDict;
    rest = wish === String(step[0]) ? undefined : wish.slice(String(step[0]).length + 1);
  }
  return { top, dict, path };
}

/** Keys joined by dots. */
export const nameOf = (path: readonly Key[]): string => path.map(String).join('.');
