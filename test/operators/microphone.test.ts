import { lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { ArgumentError, BackendError } from '../../src/errors.ts';
import { fromMicrophone } from '../../operators/index.ts';

// What it hears is in test/live/jack.test.ts.

test('a microphone that is not there is an error of the stream, and nothing is opened before', async () => {
  let opened = 0;
  const heard = fromMicrophone({ device: 'no such device', onOpen: () => opened++ });
  const error = await lastValueFrom(heard).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BackendError);
  expect((error as Error).message).toMatch(/^no microphone could be opened \(.+\); plug one in/);
  expect(opened).toBe(0);
});

test.each([
  [{ channels: 0 }, /channels is 0/],
  [{ blockFrames: 1.5 }, /blockFrames is 1.5/],
  [{ sampleRate: -1 }, /sampleRate is -1/],
])('%j is refused at once', (options, message) => {
  expect(() => fromMicrophone(options)).toThrow(ArgumentError);
  expect(() => fromMicrophone(options)).toThrow(message);
});
