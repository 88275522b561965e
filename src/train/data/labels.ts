import { ArgumentError } from '../../errors.ts';
import { byCodeUnits, nameOf } from './files.ts';
import type { Recording } from './recordings/recordings.ts';

/**
 * Classes from file names.
 *
 * @param expression its first group is the class's name.
 * @param classes names in the order of their numbers; by default those that occur, sorted.
 * @throws ArgumentError for a name without a class, or with one that is not in `classes`.
 * @example labelsOf(list, /^(\d)_/) // { classes: ['0', …, '9'], labels: [0, 0, …] }
 */
export function labelsOf(
  list: readonly Recording[],
  expression: RegExp,
  classes?: readonly string[],
): { classes: readonly string[]; labels: number[] } {
  const names = list.map(({ path }) => nameOf(path, expression, 'label'));
  const known = classes ?? [...new Set(names)].sort(byCodeUnits);
  const numbers = new Map(known.map((name, i) => [name, i]));
  const labels = names.map((name, i) => {
    const number = numbers.get(name);
    if (number === undefined) {
      throw new ArgumentError(
        `${list[i]!.path}: class "${name}" is none of ${known.join(', ')}; add it to classes, or leave the file out`,
      );
    }
    return number;
  });
  return { classes: known, labels };
}
