import type { Observable } from 'rxjs';
import { hold } from '../../../operators/index.ts';
import type { WavWriter } from '../../audio/index.ts';
import type { FloatArray } from '../../signal/index.ts';

/**
 * Writes all blocks, at the pace of the writer. Unlike `toWav` it leaves the writer to the caller, who completes
 * it early on Ctrl-C. Rejects with the error of the blocks or of the writer.
 */
export const writeBlocks = (blocks: Observable<FloatArray>, writer: WavWriter): Promise<void> =>
  new Promise((resolve, reject) => {
    const subscription = blocks.subscribe({
      next(block) {
        hold(
          writer.write(block).catch((error: unknown) => {
            reject(error);
            subscription.unsubscribe();
          }),
        );
      },
      error: reject,
      complete: resolve,
    });
  });
