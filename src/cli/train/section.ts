import { nearestName } from '../../checkpoint/similar-name.ts';
import { UsageError } from '../support/failure.ts';

/**
 * An object of a configuration file, taken apart key by key: a value that does not fit is refused with its place and
 * the cure, and `done` refuses the keys that nobody asked for, so that a misspelt one is never a default taken silently.
 */
export class Section {
  readonly #file: string;
  readonly #path: string;
  /** All of it, as it stands. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  /** @param path of keys that lead to the object, joined by dots; empty for the file's own. */
  constructor(file: string, path: string, value: unknown) {
    this.#file = file;
    this.#path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw refusal(
        `${file}${path === '' ? '' : `: "${path}"`} is ${show(value)}; give an object such as { … }`,
      );
    }
    this.values = value as Readonly<Record<string, unknown>>;
  }

  number(key: string): number | undefined {
    return this.#typed(key, 'number', 'a number');
  }

  text(key: string): string | undefined {
    return this.#typed(key, 'string', 'a text');
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, 'boolean', 'true or false');
  }

  /** One of a few texts. */
  choice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.any(key);
    if (value === undefined || choices.includes(value as Choice)) return value as Choice | undefined;
    return this.refuse(key, `give one of ${choices.join(', ')}`);
  }

  list(key: string): readonly unknown[] | undefined {
    const value = this.any(key);
    if (value === undefined || Array.isArray(value)) return value as readonly unknown[] | undefined;
    return this.refuse(key, 'give a list');
  }

  section(key: string): Section | undefined {
    const value = this.any(key);
    return value === undefined ? undefined : this.inside(key, value);
  }

  /** An object further in, such as `groups.0`. */
  inside(path: string, value: unknown): Section {
    return new Section(this.#file, this.#pathOf(path), value);
  }

  /** Whatever stands there. */
  any(key: string): unknown {
    this.#known.add(key);
    return Object.hasOwn(this.values, key) ? this.values[key] : undefined;
  }

  /** The same, which has to be there. */
  needed<T>(key: string, value: T | undefined, wanted: string): T {
    if (value === undefined) throw refusal(`${this.#file} lacks "${this.#pathOf(key)}"; give ${wanted}`);
    return value;
  }

  refuse(key: string, cure: string): never {
    throw refusal(`${this.#file}: "${this.#pathOf(key)}" is ${show(this.values[key])}; ${cure}`);
  }

  /** Refuses what is left. */
  done(): void {
    const unknown = Object.keys(this.values).find((key) => !this.#known.has(key));
    if (unknown === undefined) return;
    const near = nearestName(unknown, this.#known);
    throw refusal(
      `${this.#file}: "${this.#pathOf(unknown)}" is not known there${near === undefined ? '' : `, did you mean "${near}"?`}; ` +
        `known are ${[...this.#known].join(', ')}`,
    );
  }

  #pathOf(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }

  #typed<T>(key: string, type: 'number' | 'string' | 'boolean', wanted: string): T | undefined {
    const value = this.any(key);
    // eslint-disable-next-line valid-typeof
    if (value === undefined || typeof value === type) return value as T | undefined;
    return this.refuse(key, `give ${wanted}`);
  }
}

const refusal = (message: string): UsageError => new UsageError('train', message);

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};
