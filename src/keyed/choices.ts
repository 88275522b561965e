import { ArgumentError, GraphError } from '../errors.ts';
import type { Model } from '../signal/index.ts';
import type { KeyedOptions } from './options.ts';
import { timelineOptions, type TimelineOptions } from './policies.ts';

/** The options, whole and checked. */
export interface KeyedChoices {
  readonly timing: Required<TimelineOptions>;
  /** Hz of the model's own step. */
  readonly rate: number;
  /** Keys in memory at most. */
  readonly limit: number;
  /** Milliseconds. */
  readonly idle: number;
}

/** @throws GraphError for a model of other ports than one input; ArgumentError for an option out of range. */
export function keyedChoices<R>(model: Model, options: KeyedOptions<R>): KeyedChoices {
  const { time, store, resident = 100_000, idle = Infinity, sampleRate } = options;
  const ports = Object.keys(model.inputs);
  if (ports.length !== 1 || ports[0] !== 'input') {
    throw new GraphError(
      `keyed(${model.name}): the model takes ${ports.join(', ')}, but records have one value; ` +
        'give a model with the one port "input"',
    );
  }
  if (sampleRate !== undefined && model.sampleRate !== undefined && sampleRate !== model.sampleRate) {
    throw new GraphError(
      `keyed(${model.name}): sampleRate is ${sampleRate}, but the model's own is ${model.sampleRate}; leave the option out`,
    );
  }
  const timing = timelineOptions(options);
  const wants = (isFine: boolean, name: string, given: unknown, what: string): void => {
    if (!isFine) throw new ArgumentError(`keyed: ${name} is ${String(given)}; give ${what}`);
  };
  wants(
    Number.isSafeInteger(resident) && resident >= 1,
    'resident',
    resident,
    'a whole number of at least 1',
  );
  wants(idle > 0, 'idle', idle, 'seconds above 0');
  const leaves = options.resident !== undefined || options.idle !== undefined;
  wants(
    store !== undefined || !leaves,
    'store',
    store,
    'one for the states that leave by `resident` or `idle`',
  );
  wants(
    timing.reorder === 0 || (store === undefined && time !== undefined),
    'reorder',
    timing.reorder,
    '0, or a `time` and no store: records that wait for their order stay in memory',
  );
  return {
    timing,
    rate: model.sampleRate ?? sampleRate ?? 1,
    limit: store ? resident : Infinity,
    idle: idle * 1000,
  };
}
