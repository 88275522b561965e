import { exp } from '../../ops/index.ts';
import { favorAttention, favorLogFeatures } from '../../layers/performer.ts';
import { FormatError } from '../../errors.ts';
import type { Model, Signal } from '../../signal/index.ts';
import type { Family, Run, Subject } from '../case.ts';
import { block } from '../ways/block.ts';
import { layerCase } from './layer.ts';

/** Of fast-transformers' `CausalLinearAttention`. */
const EPS = 1e-6;

/**
 * fast-transformers' FAVOR+ as an op: q, k, v and the constant omega. Beyond the output the files hold `phi_q` and
 * `phi_k` (batch × time × heads × features), the features before anything is divided.
 */
export const performerFamily: Family = {
  name: 'performer',
  matches: ({ source, kinds }) => kinds.includes('op') && /fast-transformers .*Favor/.test(source),
  open(golden, settings) {
    const { softmax_temp: temperature } = golden.config;
    if (typeof temperature !== 'number')
      throw new FormatError(
        `${golden.path}: config "softmax_temp" is ${String(temperature)}; it has to be a number`,
      );
    const shape = golden.tensor('omega').shape;
    const run = (
      name: string,
      ports: readonly string[],
      output: string,
      apply: (signals: Readonly<Record<string, Signal>>, omega: Signal) => Signal,
    ): Run => {
      const model: Model = {
        name,
        inputs: Object.fromEntries(ports.map((port) => [port, golden.tensor(port).shape.slice(2)])),
        build: (trace, signals) => ({ output: apply(signals, trace.parameter('omega', shape)) }),
      };
      const parameters = { omega: golden.tensor('omega').values };
      const inputs = Object.fromEntries(ports.map((port) => [port, port]));
      return { model, parameters, inputs, outputs: { output } };
    };
    const attention = run('favor', ['q', 'k', 'v'], 'output', ({ q, k, v }, omega) =>
      favorAttention({ q, k, v }, { omega, temperature, eps: EPS }),
    );
    const features = ['q', 'k'].map((port) =>
      run(`phi of ${port}`, [port], `phi_${port}`, (signals, omega) =>
        exp(favorLogFeatures(signals[port], { omega, temperature })),
      ),
    );
    const subject: Subject = { golden, settings, runs: [attention] };
    const tolerance = golden.ways.get('block') ?? 0;
    return layerCase(subject, {
      extras: { features: { ...block({ ...subject, runs: features }), tolerance } },
    });
  },
};
