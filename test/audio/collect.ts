import { readWav, type WavInfo, type WavSource } from '../../src/audio/index.ts';

/** All samples of a source, read in blocks, as float64; checks the length of every block on the way. */
export async function collect(
  source: WavSource,
  framesPerBlock = 7,
): Promise<{ info: WavInfo; samples: Float64Array }> {
  const wav = await readWav(source);
  const blocks: Float64Array[] = [];
  for await (const block of wav.blocks(framesPerBlock, { format: 'float64' })) blocks.push(block);
  const size = framesPerBlock * wav.info.channels;
  blocks.forEach((block, i) => {
    if (i < blocks.length - 1 ? block.length !== size : block.length === 0 || block.length > size) {
      throw new Error(`block ${i} of ${blocks.length} has ${block.length} samples, not ${size}`);
    }
  });
  const samples = new Float64Array(blocks.reduce((n, b) => n + b.length, 0));
  let at = 0;
  for (const block of blocks) {
    samples.set(block, at);
    at += block.length;
  }
  return { info: wav.info, samples };
}
