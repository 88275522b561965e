/**
 * Where the time of layers and published networks goes: the share of each op, and which the backend leaves to the
 * reference (marked `*`).
 *
 *     node test/bench/profile.ts                      # one layer of every family at a usual size, blocks of 128
 *     node test/bench/profile.ts mamba lstm           # those whose names begin so
 *     node test/bench/profile.ts ../shared/golden …   # golden files, their whole inputs in one block
 */
import { existsSync } from 'node:fs';
import type { Kernel, StreamBackend } from '../../src/backends/backend.ts';
import { planReference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { families } from '../../src/conformance/cases/index.ts';
import { findGolden } from '../../src/conformance/find.ts';
import { openGolden } from '../../src/conformance/golden.ts';
import { random } from '../../src/init/random.ts';
import * as layers from '../../src/layers/index.ts';
import { rwkv4Model } from '../../src/models/index.ts';
import { inverseStft, melSpectrogram, runningMean, stft } from '../../src/ops/index.ts';
import { defineLayer, type Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';

interface Share {
  time: number;
  firings: number;
  calls: number;
}

/** A backend that measures every kernel of another by op; the reference's are marked. */
function measured(inner: StreamBackend, shares: Map<string, Share>): StreamBackend {
  return {
    ...inner,
    plan(request) {
      const own = inner.plan(request);
      const plan = own ?? planReference(request);
      const name = `${own ? ' ' : '*'} ${request.op.name}`;
      const share = shares.get(name) ?? { time: 0, firings: 0, calls: 0 };
      shares.set(name, share);
      return {
        ...plan,
        bind(arena, at, node): Kernel {
          // Without the call as data, so that the walk leaves it to JavaScript, where it can be measured.
          const { call: _, ...kernel } = plan.bind(arena, at, node);
          return {
            ...kernel,
            run(firings, first) {
              const start = process.hrtime.bigint();
              kernel.run(firings, first);
              share.time += Number(process.hrtime.bigint() - start);
              share.firings += firings;
              share.calls++;
            },
          };
        },
      };
    },
  };
}

/** Runs `work` until the engine has optimised it, then prints the shares of the quickest of many runs. */
async function profile(
  name: string,
  shares: Map<string, Share>,
  frames: number | undefined,
  work: () => unknown,
): Promise<void> {
  for (const end = Date.now() + 200; Date.now() < end;) await work();
  let total = Infinity;
  let best: [string, Share][] = [];
  for (const end = Date.now() + 400; Date.now() < end;) {
    for (const share of shares.values()) Object.assign(share, { time: 0, firings: 0, calls: 0 });
    await work();
    const sum = [...shares.values()].reduce((all, { time }) => all + time, 0);
    if (sum >= total) continue;
    total = sum;
    best = [...shares].map(([op, share]) => [op, { ...share }]);
  }
  if (!(total > 0) || best.length === 0) return;
  const whole =
    frames === undefined ? `${(total / 1e6).toFixed(2)} ms` : `${(total / frames).toFixed(0)} ns a frame`;
  process.stdout.write(`${name}: ${whole}\n`);
  const sorted = best.filter(([, { calls }]) => calls > 0).sort(([, x], [, y]) => y.time - x.time);
  for (const [op, { time, firings, calls }] of sorted) {
    const percent = ((100 * time) / total).toFixed(1).padStart(5);
    const each = (time / firings).toFixed(0).padStart(8);
    process.stdout.write(`  ${percent} %  ${op.padEnd(26)} ${each} ns a firing, ${calls} calls\n`);
  }
}

const BLOCK = 128;
const sized = { features: 64 };
const frames = { size: 512, hop: 128 };
const signal = (name: string, apply: Parameters<typeof defineLayer>[0]['apply']): Model =>
  defineLayer({ name, features: 1, apply });

const models: Readonly<Record<string, () => Model>> = {
  mamba: () => layers.mamba(sized),
  mamba2: () => layers.mamba2({ ...sized, headWidth: 32 }),
  mamba3: () => layers.mamba3({ ...sized, headWidth: 32 }),
  s4: () => layers.s4({ ...sized }),
  s4d: () => layers.s4d({ ...sized, states: 64 }),
  s5: () => layers.s5({ ...sized, states: 64 }),
  lru: () => layers.lru({ ...sized, states: 64 }),
  rglru: () => layers.rgLru({ ...sized, heads: 4 } as never),
  hgrn: () => layers.hgrn(sized as never),
  retention: () => layers.retention({ ...sized, heads: 4 }),
  'retention chunked': () => layers.retention({ ...sized, heads: 4, form: { chunk: 32 } }),
  'retention fla': () => layers.flaRetention({ ...sized, heads: 4 } as never),
  'linear attention': () => layers.linearAttention({ ...sized, heads: 4 } as never),
  performer: () => layers.performer({ ...sized, heads: 4 } as never),
  gla: () => layers.gla({ ...sized, heads: 4 } as never),
  deltanet: () => layers.deltaNet({ ...sized, heads: 4 } as never),
  kda: () => layers.kda({ ...sized, heads: 4, headFeatures: 16 } as never),
  rwkv4: () => rwkv4Model({ ...sized, layers: 1 } as never),
  rwkv6: () => layers.rwkv6({ ...sized, heads: 4 }),
  rwkv7: () => layers.rwkv7({ ...sized, headFeatures: 16 }),
  lstm: () => layers.lstm({ features: 64, hidden: 64 }),
  lstm16: () => layers.lstm({ features: 1, hidden: 16 }),
  gru: () => layers.gru({ features: 64, hidden: 64 }),
  attention: () => layers.attention({ ...sized, heads: 4, window: 256 }),
  stft: () => signal('stft', (_t, x) => inverseStft(stft(x, frames), frames)),
  mel: () =>
    signal('mel', (_t, x) => runningMean(melSpectrogram(x, { ...frames, mels: 40, sampleRate: 16_000 }))),
};

async function profileLayer(name: string, model: Model): Promise<void> {
  const shares = new Map<string, Share>();
  const stream = compile(model, layers.initialise(model, 1), { backend: measured(wasm(), shares) });
  const rng = random(1);
  const input = Float32Array.from({ length: BLOCK * stream.inputChannels }, () => rng.uniform(-1, 1));
  const output = new Float32Array(stream.maxOutput(BLOCK) * stream.outputChannels);
  await profile(name, shares, BLOCK, () => stream.process(input, output));
}

async function profileGolden(paths: readonly string[]): Promise<void> {
  for (const { path, name } of findGolden(paths)) {
    const golden = openGolden(path, name);
    const shares = new Map<string, Share>();
    const settings = { backend: measured(wasm(), shares), precision: undefined, models: '../shared/models' };
    const opened = await families.find((each) => each.matches(golden))?.open(golden, settings);
    const way = opened?.ways['block'] ?? opened?.ways['chunks'];
    if (way) await profile(name, shares, undefined, () => way.measure());
  }
}

const asked = process.argv.slice(2);
const paths = asked.filter((each) => existsSync(each));
const names = asked.filter((each) => !existsSync(each));
if (paths.length > 0) await profileGolden(paths);
if (names.length > 0 || paths.length === 0) {
  for (const [name, model] of Object.entries(models)) {
    if (names.length > 0 && !names.some((each) => name.startsWith(each))) continue;
    try {
      await profileLayer(name, model());
    } catch (error) {
      process.stdout.write(`${name}: ${String(error)}\n`);
    }
  }
}
