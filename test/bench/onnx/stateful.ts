import { timedAsync, type Contender } from '../contest.ts';
import { noise } from '../noise.ts';
import type { OnnxRuntime, OrtTensor } from '../peers/onnxruntime.ts';
import type { OnnxGraph } from './graph.ts';

export interface Stateful {
  /** How the graph does the work. */
  readonly form: string;
  readonly graph: OnnxGraph;
  /** Names and shapes of the state: `<name>` in, `<name>_next` out. The signal goes in at `u` and comes out at `y`. */
  readonly states: Readonly<Record<string, readonly number[]>>;
  readonly channels: number;
  readonly block: number;
}

/** A graph as a contender that carries its state from call to call. */
export async function stateful(runtime: OnnxRuntime, model: Stateful): Promise<Contender> {
  const { form, graph, states, channels, block } = model;
  const session = await runtime.session(await graph.encode());
  const names = Object.keys(states);
  const fresh = (name: string): OrtTensor =>
    runtime.tensor(new Float32Array(states[name]!.reduce((a, b) => a * b)), states[name]!);
  const feeds: Record<string, OrtTensor> = { u: runtime.tensor(noise(block * channels), [block, channels]) };
  const reset = (): void => {
    for (const name of names) feeds[name] = fresh(name);
  };
  reset();

  const advance = async (): Promise<OrtTensor> => {
    const results = await session.run(feeds);
    for (const name of names) feeds[name] = results[`${name}_next`]!;
    return results['y']!;
  };
  return timedAsync(`${runtime.name}, ${form}`, block, advance, {
    async answer(probe) {
      reset();
      const driven = feeds['u']!;
      const size = block * channels;
      const output = new Float32Array(probe.length);
      for (let at = 0; at + size <= probe.length; at += size) {
        feeds['u'] = runtime.tensor(probe.slice(at, at + size), [block, channels]);
        output.set((await advance()).data, at);
      }
      feeds['u'] = driven;
      return output;
    },
    close: () => session.release(),
  });
}
