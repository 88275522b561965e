/**
 * What a pickle's value would be when written out, found without writing it out: a few bytes can share a tuple
 * with itself forty times over, and whoever walks it naively walks 2^40 values.
 */
import type { Fail } from './globals.ts';
import { Inert, isContainer, PyDict, StoredTensor, type Value } from './values.ts';

/** Containers inside containers. */
const MAX_DEPTH = 64;

/** Values and characters, shared parts counted each time: a configuration of a megabyte, or some 20,000 tensors. */
const MAX_WEIGHT = 2 ** 20;

/** Fills `weight`, `height` and `tensors` of every container below `value`. @throws through `fail` */
export function survey(value: Value, fail: Fail): void {
  visit(value, 0, fail);
}

/** Tensors in a value, shared ones counted each time. */
export const tensorsIn = (value: Value): number =>
  isContainer(value) ? value.tensors : value instanceof StoredTensor ? 1 : 0;

/** The value's weight; its parts' are added up in it. */
function visit(value: Value, depth: number, fail: Fail): number {
  if (!isContainer(value)) return 1 + characters(value);
  if (value.weight === -1) return fail('a container holds itself; export the state_dict alone');
  // A shared part may be seen first near the top and again further down.
  if (depth + value.height >= MAX_DEPTH) {
    return fail(`more than ${MAX_DEPTH} containers, one inside the other; export the state_dict alone`);
  }
  if (value.weight > 0) return value.weight;
  value.weight = -1;
  let [weight, height, tensors] = [1, 0, 0];
  for (const [key, item] of value instanceof PyDict ? value.entries : value.items.entries()) {
    weight += visit(item, depth + 1, fail) + (value instanceof PyDict ? 1 + String(key).length : 0);
    if (weight > MAX_WEIGHT) {
      fail(
        `more than ${MAX_WEIGHT} values and characters when shared parts are written out; export the state_dict alone`,
      );
    }
    height = Math.max(height, isContainer(item) ? 1 + item.height : 0);
    tensors += tensorsIn(item);
  }
  value.weight = weight;
  value.height = height;
  value.tensors = tensors;
  return weight;
}

function characters(value: Value): number {
  if (typeof value === 'string') return value.length;
  return value instanceof Inert ? value.text.length : 0;
}
