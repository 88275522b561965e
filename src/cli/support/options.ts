import { InvalidArgumentError, Option, type Command } from 'commander';

/** Parsers for commander: what they throw names the option, and ends with exit status 2. */

export function finite(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a finite number.');
  return value;
}

export function positive(text: string): number {
  const value = finite(text);
  if (value <= 0) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

export function wholeUpTo(most: number): (text: string) => number {
  return (text) => {
    const value = finite(text);
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
    }
    return value;
  };
}

/** `300,3400`, or the option given twice: one list. */
export const numbers = (text: string, before: readonly number[] = []): number[] => [
  ...before,
  ...text.split(',').map(finite),
];

/** The same of a few words. */
export const words =
  <Word extends string>(choices: readonly Word[]) =>
  (text: string, before: readonly Word[] = []): Word[] => [
    ...before,
    ...text.split(',').map((word) => {
      if (!choices.includes(word as Word)) {
        throw new InvalidArgumentError(`Allowed are ${choices.join(', ')}.`);
      }
      return word as Word;
    }),
  ];

export const oneOf = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices);

/** What every verb takes. */
export const withDebug = (command: Command): Command =>
  command.option('--debug', 'print the stack of an error as well');
