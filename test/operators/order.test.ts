import { Observable, Subject } from 'rxjs';
import { share, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { chunk, operate, ssm } from '../../operators/index.ts';
import { a, integrator, lookAhead } from './models.ts';

const recorder = (log: unknown[]) => ({
  next: (value: unknown) => void log.push(value),
  error: (error: Error) => void log.push(error.message),
  complete: () => void log.push('|'),
});

describe('a subscriber that feeds the source', () => {
  it('sees its own values in order, and so does a second one behind it', () => {
    const source = new Subject<number>();
    const shared = source.pipe(ssm(integrator(), a), share());
    const first: number[] = [];
    const second: unknown[] = [];
    shared.subscribe((y) => {
      if (first.length === 0) {
        source.next(0);
        source.next(1);
      }
      first.push(y);
    });
    shared.subscribe(recorder(second));
    source.next(1);
    source.next(0);
    // u = 1, 0, 1, 0
    expect(first).toEqual([1, 0.5, 1.25, 0.625]);
    expect(second).toEqual([1, 0.5, 1.25, 0.625]);
  });

  it('completes behind what waits, flushed', () => {
    const source = new Subject<number>();
    const log: unknown[] = [];
    let fed = false;
    source.pipe(ssm(lookAhead(1), a)).subscribe({
      ...recorder(log),
      next(y) {
        if (!fed) {
          fed = true;
          source.next(4);
          source.complete();
        }
        log.push(y);
      },
    });
    source.next(1);
    source.next(2);
    expect(log).toEqual([3, 6.5, 5.25, '|']);
  });

  it('gets an error behind what waits', () => {
    const source = new Subject<number>();
    const log: unknown[] = [];
    let fed = false;
    source.pipe(ssm(integrator(), a)).subscribe({
      ...recorder(log),
      next(y) {
        if (!fed) {
          fed = true;
          source.next(0);
          source.error(new Error('gone'));
        }
        log.push(y);
      },
    });
    source.next(1);
    expect(log).toEqual([1, 0.5, 'gone']);
  });

  it('comes behind all outputs of one input', () => {
    const source = new Subject<Float32Array>();
    const log: number[][] = [];
    source.pipe(chunk(1)).subscribe((block) => {
      if (log.length === 0) {
        log.push([...block]);
        source.next(Float32Array.of(9));
      } else log.push([...block]);
    });
    source.next(Float32Array.of(1, 2, 3));
    expect(log).toEqual([[1], [2], [3], [9]]);
  });

  it('gets nothing more of what waits once it has unsubscribed', () => {
    const source = new Subject<number>();
    const log: unknown[] = [];
    source.pipe(ssm(integrator(), a), take(2)).subscribe({
      ...recorder(log),
      next(y) {
        log.push(y);
        if (log.length === 1) for (const u of [0, 0, 0]) source.next(u);
      },
    });
    source.next(1);
    expect(log).toEqual([1, 0.5, '|']);
    expect(source.observed).toBe(false);
  });
});

describe('operate', () => {
  it('emits what came before the transformer threw, then the error, and closes the source', () => {
    const log: unknown[] = [];
    let closed = false;
    const source = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => (closed = true);
    });
    source
      .pipe(
        operate(() => ({
          next(value: number, emit: (value: number) => void) {
            emit(value);
            throw new Error('broken');
          },
        })),
      )
      .subscribe(recorder(log));
    expect(log).toEqual([1, 'broken']);
    expect(closed).toBe(true);
  });

  it('turns what the flush throws into an error', () => {
    const log: unknown[] = [];
    new Observable<number>((subscriber) => subscriber.complete())
      .pipe(
        operate(() => ({
          next() {},
          end() {
            throw new Error('broken');
          },
        })),
      )
      .subscribe(recorder(log));
    expect(log).toEqual(['broken']);
  });
});
