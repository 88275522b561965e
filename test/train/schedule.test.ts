import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import {
  constantRate,
  plateau,
  warmUpCosine,
  warmUpLinear,
  type RateSchedule,
} from '../../src/train/index.ts';

const over = (schedule: RateSchedule, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => schedule.rate({ step, steps }, schedule.begin()));

describe('schedules', () => {
  it('constant', () => expect(over(constantRate(), 3)).toEqual([1, 1, 1]));

  it('linear: up, then down to the floor', () => {
    expect(over(warmUpLinear({ warmUp: 3, floor: 0.5 }), 7)).toEqual([
      0.25, 0.5, 0.75, 1, 0.875, 0.75, 0.625,
    ]);
    expect(over(warmUpLinear(), 4)).toEqual([1, 0.75, 0.5, 0.25]);
  });

  it('cosine: up, then half a period', () => {
    const rates = over(warmUpCosine({ warmUp: 1, floor: 0.2 }), 5);
    [0.5, 1, 0.2 + 0.8 * (0.5 + Math.SQRT1_2 / 2), 0.6, 0.2 + 0.8 * (0.5 - Math.SQRT1_2 / 2)].forEach(
      (rate, i) => expect(rates[i]).toBeCloseTo(rate, 12),
    );
    // A run that goes on longer stays at the floor.
    expect(warmUpCosine({ floor: 0.2 }).rate({ step: 50, steps: 10 }, {})).toBeCloseTo(0.2, 12);
  });

  it('plateau: down by a factor after more than `patience` observations without a better one', () => {
    const schedule = plateau({ factor: 0.5, patience: 1, floor: 0.2 });
    let state = schedule.begin();
    const seen = [3, 2, 2, 2.5, 2, 2, 1.5, 9, 9, 9, 9].map((loss) => {
      state = schedule.observe(loss, state);
      // As a checkpoint would hold it.
      state = JSON.parse(JSON.stringify(state)) as typeof state;
      return schedule.rate({ step: 9, steps: 10 }, state);
    });
    expect(seen).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2]);
  });

  it.each<[() => RateSchedule, RegExp]>([
    [() => warmUpCosine({ warmUp: -1 }), /cosine: warmUp is -1/],
    [() => warmUpLinear({ floor: 2 }), /linear: floor is 2/],
    [() => plateau({ patience: 0.5 }), /plateau: patience is 0.5/],
    [() => plateau({ factor: -1 }), /plateau: factor is -1/],
  ])('%o is refused', (make, message) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });
});
