import { StreamError } from '../errors.ts';
import type { InputPorts } from './ports.ts';

/**
 * Refuses steps of time that run backwards, which would make every decay a growth. 0 is fine: two frames at once.
 * NaN is left to the policy for what is not finite.
 *
 * @param inputs the ports with their blocks assigned.
 * @param before frames that the stream has taken.
 * @throws StreamError naming the frame.
 */
export function refuseBackwards(
  { ports, blocks }: Pick<InputPorts, 'ports' | 'blocks'>,
  before: number,
): void {
  for (let i = 0; i < ports.length; i++) {
    if (ports[i]!.name !== 'dt') continue;
    const steps = blocks[i]!;
    for (let k = 0; k < steps.length; k++) {
      if (!(steps[k]! < 0)) continue;
      throw new StreamError(
        `input "dt" is ${steps[k]} at frame ${before + k}: time runs backwards; sort the frames by time, or drop this one`,
      );
    }
  }
}
