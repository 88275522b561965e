import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import { widthOf, at, X } from '../tensor.ts';

interface NormaliseAttributes {
  readonly groups: number;
  readonly centre: boolean;
  readonly eps: number;
}

/** y = (x − mean)·scale by groups; mean and scale are signals of `groups` numbers, and so are Σ dy and Σ dy·y. */
export const normalise: OpKernels = {
  forward(call, save) {
    const { plan, label, attributes, inputs, dims } = call as ForwardCall as ForwardCall<NormaliseAttributes>;
    const { groups, centre, eps } = attributes;
    const x = inputs[0]!;
    const size = widthOf(x) / groups;
    const rows = dims.length === 3 ? ([groups, dims[1], dims[2]] as const) : ([groups] as const);
    const element = at('x', x, `${X} * ${size} + i`);
    const mean = centre
      ? plan.run({
          label,
          dims: rows,
          inputs: { x },
          body: `let sum = 0;\nfor (let i = 0; i < ${size}; i++) { sum += ${element}; }\nreturn sum / ${size};`,
        })
      : undefined;
    const scale = plan.run({
      label,
      dims: rows,
      inputs: { x, ...(mean ? { mean } : {}) },
      scalars: { eps },
      body: `${mean ? `const m = ${at('mean', mean, X)};\n` : ''}let sum = 0;
for (let i = 0; i < ${size}; i++) { const d = ${element}${mean ? ' - m' : ''}; sum += d * d; }
return 1 / Math.sqrt(sum / ${size} + eps);`,
    });
    save('scale', scale);
    const group = groupText(groups, size);
    return plan.run({
      label,
      dims,
      inputs: { x, scale, ...(mean ? { mean } : {}) },
      body: `${group}return (${at('x', x, X)}${mean ? ` - ${at('mean', mean, 'group')}` : ''}) * ${at('scale', scale, 'group')};`,
    });
  },
  adjoint(call) {
    const { plan, label, attributes, inputs, dims, output, dOutput, saved, give } =
      call as BackwardCall as BackwardCall<NormaliseAttributes>;
    const { groups, centre } = attributes;
    const size = widthOf(inputs[0]!) / groups;
    const rows = dims.length === 3 ? ([groups, dims[1], dims[2]] as const) : ([groups] as const);
    const d = at('d', dOutput, `${X} * ${size} + i`);
    const y = at('y', output, `${X} * ${size} + i`);
    const over = (text: string): string =>
      `let sum = 0;\nfor (let i = 0; i < ${size}; i++) { sum += ${text}; }\nreturn sum / ${size};`;
    const sum = centre ? plan.run({ label, dims: rows, inputs: { d: dOutput }, body: over(d) }) : undefined;
    const dot = plan.run({ label, dims: rows, inputs: { d: dOutput, y: output }, body: over(`${d} * ${y}`) });
    const scale = saved.get('scale')!;
    give(
      0,
      plan.run({
        label,
        dims,
        inputs: { d: dOutput, y: output, dot, scale, ...(sum ? { sum } : {}) },
        body: `${groupText(groups, size)}return ${at('scale', scale, 'group')} * (${at('d', dOutput, X)}${
          sum ? ` - ${at('sum', sum, 'group')}` : ''
        } - ${at('y', output, X)} * ${at('dot', dot, 'group')});`,
      }),
    );
  },
};

const groupText = (groups: number, size: number): string =>
  groups === 1 ? 'const group = 0;\n' : `const group = Math.floor((${X} + 0.5) / ${size});\n`;
