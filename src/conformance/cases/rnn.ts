import type { Extra, Family, Run, Subject } from '../case.ts';
import { lastState, type Sections } from '../ways/state.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/**
 * torch's LSTM and GRU. Beyond inputs and outputs the files hold the states behind the last frame, `state.h` and of
 * an LSTM `state.c` (layers × batch × H).
 */
const torchRnn = (format: 'lstm' | 'gru', states: readonly string[]): Family => ({
  name: format,
  matches: ({ source }) => source === `torch.nn.${format.toUpperCase()}`,
  open(golden, settings) {
    const run = formatRun(golden, format);
    const subject: Subject = { golden, settings, runs: [run] };
    const extras = states.map((name) => [`state.${name}`, stateExtra(subject, run, name)] as const);
    return layerCase(subject, { extras: Object.fromEntries(extras) });
  },
});

function stateExtra(subject: Subject, run: Run, name: string): Extra {
  const tolerance = subject.golden.ways.get('step') ?? 0;
  // The cells of a stack follow each other as its layers do.
  const ofCells = (sections: Sections): number[] =>
    [...sections].filter(([path]) => path.endsWith(`:${name}`)).flatMap(([, values]) => [...values]);
  return { ...table(subject.golden, [lastState(subject, run, `state.${name}`, ofCells, 1)]), tolerance };
}

/** LSTM, GRU. */
export const torchRnnFamilies: readonly Family[] = [torchRnn('lstm', ['h', 'c']), torchRnn('gru', ['h'])];
