/**
 * A language model writes: one token in, the next one out, with a state of constant size.
 *
 *     node examples/generate.ts                              a small model of random weights
 *     node examples/generate.ts model.safetensors 12 5 9     a checkpoint that says its format, and a prompt
 */
import { compile } from '../src/stream/index.ts';
import { initialise } from '../src/layers/index.ts';
import { generate, greedy, loadModel, rwkv4Lm, sampling, type Sampler } from '../src/models/index.ts';

const [path, ...numbers] = process.argv.slice(2);
const tiny = rwkv4Lm({ features: 32, layers: 2, vocabulary: 97 });
const { model, parameters } =
  path === undefined ? { model: tiny, parameters: initialise(tiny, 1) } : loadModel(path);
const prompt = numbers.length > 0 ? numbers.map(Number) : [1, 2, 3];

const stream = compile(model, parameters);
console.log('prompt  ', prompt.join(' '));
// All but its last token is read once; each text then goes on from a copy of the state.
stream.push(Float32Array.from(prompt.slice(0, -1)));
const last = prompt.slice(-1);
const write = (choose: Sampler): string =>
  [...generate(stream.fork(), { prompt: last, tokens: 16, choose })].join(' ');

console.log('greedy  ', write(greedy));
for (const seed of [1, 2, 3])
  console.log(`sample ${seed}`, write(sampling({ temperature: 0.8, topP: 0.9, seed })));
