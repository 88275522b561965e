import { discretizationByName, type Discretization } from '../discretize/index.ts';
import { ArgumentError } from '../errors.ts';
import { nearestName } from '../checkpoint/similar-name.ts';
import type { Config } from './format.ts';

/**
 * Takes an architecture's configuration apart, key by key. Every reader names the key, its value and the cure when
 * the value does not fit; `done` refuses the keys that nobody has asked for, so that a misspelt one is never a
 * default taken silently.
 *
 * @example
 * const read = new ConfigReader('s4d', config);
 * const features = read.integer('d_model', { least: 1 });
 * read.done();
 */
export class ConfigReader {
  readonly #format: string;
  readonly #config: Config;
  readonly #known = new Set<string>();

  constructor(format: string, config: Config) {
    this.#format = format;
    this.#config = config;
  }

  /** A whole number; without a default the key has to be there. */
  integer(key: string, options: { least: number; otherwise?: number; even?: boolean }): number {
    const { least, otherwise, even = false } = options;
    const wanted = `${even ? 'an even' : 'a whole'} number of at least ${least}`;
    const value = this.#take(key, otherwise, wanted);
    const fits = Number.isSafeInteger(value) && (value as number) >= least;
    if (!fits || (even && (value as number) % 2 !== 0)) this.#refuse(key, value, `give ${wanted}`);
    return value as number;
  }

  /** A finite number above 0, or undefined where the key is absent or null. */
  positive(key: string): number | undefined {
    const value = this.#take(key, null, 'a number');
    if (value === null) return undefined;
    if (!(typeof value === 'number' && value > 0 && value < Infinity))
      this.#refuse(key, value, 'give a number above 0');
    return value as number;
  }

  /** A list of whole numbers of at least 1. */
  integers(key: string, otherwise?: readonly number[]): readonly number[] {
    const value = this.#take(key, otherwise, 'a list of whole numbers');
    const fits =
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((entry) => Number.isSafeInteger(entry) && entry >= 1);
    if (!fits) this.#refuse(key, value, 'give a list of whole numbers of at least 1');
    return value as readonly number[];
  }

  /** A list of at least one entry, whatever those are; `wanted` says what to give. */
  list(key: string, wanted: string): readonly unknown[] {
    const value = this.#take(key, undefined, wanted);
    if (!Array.isArray(value) || value.length === 0) this.#refuse(key, value, `give ${wanted}`);
    return value as readonly unknown[];
  }

  boolean(key: string, otherwise: boolean): boolean {
    const value = this.#take(key, otherwise, 'true or false');
    if (typeof value !== 'boolean') this.#refuse(key, value, 'give true or false');
    return value as boolean;
  }

  /** One of a few texts; what each stands for is the choice's value. */
  choice<T>(key: string, choices: Readonly<Record<string, T>>, otherwise?: string): T {
    const wanted = `one of ${Object.keys(choices).join(', ')}`;
    const value = this.#take(key, otherwise, wanted);
    if (typeof value !== 'string' || !Object.hasOwn(choices, value))
      this.#refuse(key, value, `give ${wanted}`);
    return choices[value as string];
  }

  /** A discretization by name. */
  discretization(key: string, otherwise: string): Discretization {
    const value = this.#take(key, otherwise, 'the name of a discretization');
    if (typeof value !== 'string') this.#refuse(key, value, 'give the name of one, such as zoh or bilinear');
    try {
      return discretizationByName(value as string);
    } catch (cause) {
      throw new ArgumentError(`${this.#format}: config "${key}": ${(cause as Error).message}`, { cause });
    }
  }

  /** A key of the official code of which one value alone can be built here; `why` says what to do about others. */
  only(key: string, value: string | number | boolean | null, why: string): void {
    const found = this.#take(key, value, String(value));
    if (found !== value) this.#refuse(key, found, `only ${JSON.stringify(value)} can be built: ${why}`);
  }

  /** Keys that say nothing about the model as it runs: training settings, layouts of the official code. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#known.add(key);
  }

  /** Refuses what is left. */
  done(): void {
    const unknown = Object.keys(this.#config).filter((key) => !this.#known.has(key));
    if (unknown.length === 0) return;
    const near = nearestName(unknown[0], this.#known);
    throw new ArgumentError(
      `${this.#format}: config has ${JSON.stringify(unknown[0])}: ${show(this.#config[unknown[0]])}, which this format ` +
        `does not know${near === undefined ? '' : ` (did you mean "${near}"?)`}; it takes ${[...this.#known].join(', ')}`,
    );
  }

  #take(key: string, otherwise: unknown, wanted: string): unknown {
    this.#known.add(key);
    if (Object.hasOwn(this.#config, key)) return this.#config[key];
    if (otherwise !== undefined) return otherwise;
    throw new ArgumentError(
      `${this.#format}: config lacks "${key}"; give ${wanted} (--config '{"${key}": …}')`,
    );
  }

  #refuse(key: string, value: unknown, cure: string): never {
    throw new ArgumentError(`${this.#format}: config "${key}" is ${show(value)}; ${cure}`);
  }
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};
