import type { KernelRequest, StreamBackend } from '../../src/backends/backend.ts';
import type { Model, Precision } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { drawParameters } from '../contract/op.ts';

/** Names of the ops of a model that a backend runs itself. */
export function kernelsOf(model: Model, backend: StreamBackend, precision: Precision = 'auto'): string[] {
  const names: string[] = [];
  const spy: StreamBackend = {
    ...backend,
    plan(request: KernelRequest) {
      const plan = backend.plan(request);
      if (plan) names.push(request.op.name);
      return plan;
    },
  };
  compile(model, drawParameters(model, 1), { backend: spy, precision });
  return names;
}

export const float32 = (inputs: Record<string, ArrayLike<number>>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(inputs).map(([port, data]) => [port, Float32Array.from(data)]));
