/**
 * A sensor that now and then sends nonsense, smoothed at the pace of a slow reader: nothing piles up.
 *
 *     node examples/rxjs-sensor.ts
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { lti } from 'statewave';
import { processAsync } from 'statewave/operators';

/** Ten readings a second, one of them missing. */
async function* thermometer(): AsyncGenerator<number> {
  for (let k = 0; k < 20; k++) {
    await sleep(5);
    yield k === 7 ? Number.NaN : 20 + Math.sin(k / 3) + (k % 2);
  }
}

// A first-order low-pass with a time constant of half a second.
const smooth = lti({ b: [1], a: [0.5, 1] }, { domain: 'continuous' });
const smoothed = processAsync(
  thermometer(),
  smooth,
  {},
  {
    sampleRate: 10,
    nonFinite: 'hold',
    diagnostics: { next: ({ frame, action }) => console.log(`reading ${frame} was no number: ${action}`) },
  },
);

for await (const value of smoothed) {
  await sleep(10);
  console.log(value.toFixed(2));
}
