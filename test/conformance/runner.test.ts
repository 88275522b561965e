import { existsSync, mkdirSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import type { StreamBackend } from '../../src/backends/backend.ts';
import { backendByName, runConformance, type Line } from '../../src/conformance/index.ts';
import { ArgumentError } from '../../src/errors.ts';
import { missingShared, shared } from '../support/shared.ts';
import { carried, doctor, nudge, root, scratch, verdicts } from './support.ts';

const run = async (...paths: string[]): Promise<readonly Line[]> => (await runConformance({ paths })).lines;

describe('the golden files that the project carries', () => {
  it('are ok in every way, and nothing in them is left out', async () => {
    const folders = ['discretize', 'hippo', 'filters', 's4d', 's4'].map((name) =>
      join(root, 'fixtures/golden', name),
    );
    const report = await runConformance({ paths: folders });
    expect(report.lines.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(report).toMatchObject({ ok: report.lines.length, failed: 0, unsupported: 0 });
    for (const { error, tolerance } of report.lines) expect(error).toBeLessThanOrEqual(tolerance!);
  });

  it.each([
    ['s4d/minimal', ['block', 'step', 'chunks', 'grad']],
    [
      's4/s4d_zoh_diag-lin',
      ['block', 'step', 'chunks', 'kernel', 'output.step', 'dA', 'dB', 'dC', 'state.last'],
    ],
    ['discretize/n4m2p3_2_dt0.500000', ['table', 'block', 'step', 'state.last']],
    ['hippo/N4', ['table']],
    [
      'filters/cheby1',
      [
        'sos.float64',
        'sos.float32',
        'ba.float64',
        'abcd.float64',
        'ba.float32.refused',
        'abcd.float32.refused',
        'impulse',
        'zi',
      ],
    ],
  ])('%s has a line for each way', async (name, ways) => {
    const lines = await run(carried(name));
    expect(lines.map(({ way }) => way)).toEqual(ways);
    expect(new Set(lines.map((line) => line.case))).toEqual(new Set([name]));
  });
});

describe('a golden file with one value changed', () => {
  // Which lines fail says what each of them really compares.
  it.each([
    ['s4d/minimal', 'output', ['block', 'step']],
    ['s4d/minimal', 'param.kernel.log_dt', ['block', 'step', 'grad']],
    ['s4d/minimal', 'input', ['block', 'step', 'grad']],
    ['s4d/minimal', 'grad.kernel.A_imag', ['grad']],
    ['s4d/minimal', 'grad.input', ['grad']],
    ['s4d/minimal', 'grad.output_linear.0.weight', ['grad']],
    ['s4/s4d_zoh_diag-lin', 'kernel', ['kernel']],
    ['s4/s4d_zoh_diag-lin', 'output.step', ['output.step']],
    ['s4/s4d_zoh_diag-lin', 'dA', ['dA']],
    ['s4/s4d_zoh_diag-lin', 'dB', ['dB']],
    ['s4/s4d_zoh_diag-lin', 'dC', ['dC']],
    ['s4/s4d_zoh_diag-lin', 'state.last', ['state.last']],
    ['s4/s4d_zoh_diag-lin', 'param.layer.D', ['block', 'step', 'output.step']],
    ['discretize/n4m2p3_2_dt0.500000', 'foh.C', ['table']],
    ['discretize/n4m2p3_2_dt0.500000', 'gbt.output', ['block', 'step']],
    ['discretize/n4m2p3_2_dt0.500000', 'impulse.state.last', ['state.last']],
    ['discretize/n4m2p3_2_dt0.500000', 'A', ['table', 'block', 'step', 'state.last']],
    ['hippo/N4', 'fourier.nplr.W', ['table']],
    ['hippo/N4', 's4d-legs.B', ['table']],
    ['filters/butter', 'b', ['ba.float64']],
    ['filters/butter', 'C', ['abcd.float64']],
    ['filters/butter', 'impulse', ['impulse']],
    ['filters/butter', 'zi', ['zi']],
  ])('%s: %s fails %j', async (name, tensor, failing) => {
    const lines = await run(doctor(scratch(), name, nudge(tensor)));
    const failed = lines.filter(({ verdict }) => verdict === 'FAIL');
    expect(failed.map(({ way }) => way)).toEqual(failing);
    for (const { error, tolerance, reason } of failed) {
      expect(error).toBeGreaterThan(tolerance!);
      expect(reason).toMatch(/\[\d+\] is .*, official /);
    }
  });

  it('fails at the last frame of the last item as well', async () => {
    const lines = await run(doctor(scratch(), 's4d/minimal', nudge('output', 2 * 4 * 96 - 1)));
    expect(verdicts(lines)).toEqual({ block: 'FAIL', step: 'FAIL', chunks: 'ok', grad: 'ok' });
  });

  it('is no golden file with a NaN in it', async () => {
    const path = doctor(scratch(), 's4d/minimal', ({ tensors }) => {
      const output = tensors.get('output')!;
      tensors.set('output', { ...output, data: new Float32Array(2 * 4 * 96).fill(Number.NaN) });
    });
    const [line, ...others] = await run(path);
    expect(others).toEqual([]);
    expect(line).toMatchObject({ verdict: 'FAIL', way: 'read' });
    expect(line.reason).toMatch(/^FormatError: .*"output".*NaN/);
  });
});

describe('what a file may do wrong', () => {
  it('a way that nobody knows fails', async () => {
    const path = doctor(scratch(), 's4d/minimal', ({ metadata }) => {
      metadata.set('ways', JSON.stringify({ block: 1e-5, sideways: 1e-5, constructor: 1 }));
    });
    const lines = await run(path);
    expect(verdicts(lines)).toMatchObject({ block: 'ok', sideways: 'FAIL', constructor: 'FAIL' });
    expect(lines.find(({ way }) => way === 'sideways')!.reason).toMatch(
      /"sideways" is not known.*block, step/,
    );
  });

  it('a tensor that nothing is compared with is said', async () => {
    const path = doctor(scratch(), 's4d/minimal', ({ tensors, metadata }) => {
      tensors.set('output.other', tensors.get('output')!);
      metadata.set('ways', JSON.stringify({ block: 1e-5 }));
    });
    const lines = await run(path);
    expect(lines.filter(({ verdict }) => verdict === 'n/a').map(({ way }) => way)).toContain('output.other');
    // The gradients are not asked for, and so are said too.
    expect(verdicts(lines)['grad.kernel.C']).toBe('n/a');
  });

  it.each([
    ['param.D', /ParameterError.*"D" \[4\] is missing/],
    ['param.kernel.C', /ParameterError.*"kernel\.C"/],
  ])('without %s every way fails', async (tensor, message) => {
    const lines = await run(doctor(scratch(), 's4d/minimal', ({ tensors }) => void tensors.delete(tensor)));
    expect(verdicts(lines)).toEqual({ block: 'FAIL', step: 'FAIL', chunks: 'FAIL', grad: 'FAIL' });
    for (const { reason } of lines) expect(reason).toMatch(message);
  });

  it('a configuration that is wrong fails every way', async () => {
    const path = doctor(scratch(), 's4d/minimal', ({ metadata }) => {
      metadata.set('config', '{"d_model": 4, "d_state": 15}');
    });
    for (const { verdict, reason } of await run(path)) {
      expect(verdict).toBe('FAIL');
      expect(reason).toMatch(/ArgumentError: s4d: config "d_state" is 15; give an even number/);
    }
  });

  it('a file that is no safetensors fails by its typed error, and the others are still run', async () => {
    const folder = scratch();
    doctor(folder, 's4d/minimal', () => {});
    writeFileSync(join(folder, 's4d', 'broken.safetensors'), 'no such thing');
    const lines = await run(folder);
    expect(lines[0]).toMatchObject({
      verdict: 'FAIL',
      way: 'read',
      reason: expect.stringMatching(/^FormatError: /),
    });
    expect(lines.slice(1).map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  it.each([
    ['kind', 'sculpture', /kind "sculpture" is unknown/],
    ['ways', '{}', /ways is empty/],
    ['ways', '{"block": "loose"}', /tolerance of way "block" is "loose"/],
    ['ways', '{"block": -1}', /tolerance of way "block" is -1/],
    ['ways', 'none', /ways is no object/],
    ['inputs', '["input", "sidechain"]', /tensor "sidechain", which the file does not hold/],
    ['inputs', '"input"', /inputs is "input"/],
    ['layout', 'a: b: c', /layout "a: b: c" can't be read/],
  ])('metadata %s = %s fail the file', async (key, value, message) => {
    const lines = await run(
      doctor(scratch(), 's4d/minimal', ({ metadata }) => void metadata.set(key, value)),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ verdict: 'FAIL', way: 'read' });
    expect(lines[0].reason).toMatch(message);
  });

  it.each(['kind', 'inputs', 'layout', 'causal', 'ways'])(
    'metadata without %s fail the file',
    async (key) => {
      const [line] = await run(doctor(scratch(), 's4d/minimal', ({ metadata }) => void metadata.delete(key)));
      expect(line).toMatchObject({ verdict: 'FAIL', way: 'read' });
      expect(line.reason).toContain(`no "${key}"`);
    },
  );

  it('a note that does not state its loss fails the gradients alone', async () => {
    const path = doctor(scratch(), 's4d/minimal', ({ metadata }) => void metadata.set('note', 'float32'));
    const lines = await run(path);
    expect(verdicts(lines)).toEqual({ block: 'ok', step: 'ok', chunks: 'ok', grad: 'FAIL' });
    expect(lines.at(-1)!.reason).toMatch(/does not state the loss/);
  });

  it('a layout that does not fit fails what needs it', async () => {
    const path = doctor(scratch(), 's4d/minimal', ({ metadata }) => void metadata.set('layout', 'C,T'));
    for (const { verdict, reason } of await run(path)) {
      expect(verdict).toBe('FAIL');
      expect(reason).toMatch(/shape \[2, 4, 96\] does not fit the layout "C,T"/);
    }
  });

  it('a family that is not here yet is unsupported, in each of its ways', async () => {
    const path = doctor(scratch(), 's4d/minimal', ({ metadata }) => void metadata.set('source', 'elsewhere'));
    const report = await runConformance({ paths: [path] });
    expect(verdicts(report.lines)).toEqual({
      block: 'unsupported',
      step: 'unsupported',
      chunks: 'unsupported',
      grad: 'unsupported',
    });
    expect(report).toMatchObject({ ok: 0, failed: 0, unsupported: 4 });
  });

  it('nothing to run is an error', async () => {
    const empty = scratch();
    await expect(run(empty)).rejects.toThrow(ArgumentError);
    await expect(run(join(empty, 'absent'))).rejects.toThrow(/no such file or folder/);
    await expect(run()).rejects.toThrow(/no path at all/);
    // A file among folders that are empty is enough.
    mkdirSync(join(empty, 'more'));
    await expect(run(join(empty, 'more'))).rejects.toThrow(/no golden files/);
  });
});

/** The reference, but every output moves by `amount` where a kernel runs `when` firings at once. */
const moved = (when: (firings: number) => boolean, amount: number): StreamBackend => ({
  ...reference,
  name: 'moved',
  plan(request) {
    const plan = reference.plan(request)!;
    return {
      ...plan,
      bind(arena, at, node) {
        const kernel = plan.bind(arena, at, node);
        return {
          ...kernel,
          run(firings, first) {
            const { output } = node;
            const start = output.at;
            kernel.run(firings, first);
            if (when(firings)) output.data[start] = output.data[start] + amount;
          },
        };
      },
    };
  },
});

describe('a backend that is wrong', () => {
  const paths = [carried('s4d/minimal')];

  it('by the size of the blocks fails chunks, and step where it is far off', async () => {
    const { lines } = await runConformance({ paths, backend: moved((firings) => firings === 1, 1e-3) });
    expect(verdicts(lines)).toMatchObject({ block: 'ok', step: 'FAIL', chunks: 'FAIL' });
  });

  it('by no more than rounding still fails chunks', async () => {
    const { lines } = await runConformance({ paths, backend: moved((firings) => firings === 7, 2 ** -22) });
    expect(verdicts(lines)).toMatchObject({ block: 'ok', step: 'ok', chunks: 'FAIL' });
  });
});

it('runs in the precision that is asked for', async () => {
  const paths = [carried('discretize/n4m2p3_2_dt0.500000')];
  const { lines } = await runConformance({ paths, precision: 'float32' });
  // 1e-12 is out of reach for float32 signals; tables and the state's own arithmetic are float64 all the same.
  expect(verdicts(lines)).toMatchObject({ table: 'ok', block: 'FAIL', step: 'FAIL' });
});

describe.skipIf(!existsSync(join(root, 'src/backends/wasm/generated')))(
  'on WebAssembly (needs npm run build)',
  () => {
    it('the golden files are ok as well', async () => {
      const backend = await backendByName('wasm');
      const report = await runConformance({
        paths: [carried('s4d/minimal'), join(root, 'fixtures/golden/s4')],
        backend,
      });
      expect(backend.name).toMatch(/^wasm/);
      expect(report.lines.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    });
  },
);

describe.skipIf(missingShared('golden'))('all official vectors (needs ../shared)', () => {
  // Whole published networks on real recordings take minutes: `npm run conformance -- ../shared/golden/e2e ../shared/golden/nam`.
  const NETWORKS = new Set(['e2e', 'nam']);

  it('of every family but whole networks: nothing fails, nothing is unsupported', async () => {
    const folders = readdirSync(shared('golden')).filter((folder) => !NETWORKS.has(folder));
    const report = await runConformance({ paths: folders.map((folder) => shared('golden', folder)) });
    expect(report.lines.filter(({ verdict }) => verdict === 'FAIL' || verdict === 'unsupported')).toEqual([]);
    expect(report.ok).toBeGreaterThan(250);
  }, 120_000);
});
