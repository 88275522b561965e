/**
 * The matrix scan in all its forms, for the op's own suite and for every backend's: with and without decay, a number a
 * head or a key, shared heads, constants, delta rules, several outer products, both read-outs.
 */
import type { Random } from '../../src/init/index.ts';
import * as ops from '../../src/ops/index.ts';
import { sizeOf, type Shape, type Signal } from '../../src/signal/index.ts';
import type { OpCase } from './op.ts';

/** Kept small, so that nothing blows up over a thousand frames. */
const gate = (x: Signal): Signal => ops.add(ops.mul(ops.sigmoid(x), 0.5), 0.3);
const small = (x: Signal): Signal => ops.mul(ops.tanh(x), 0.3);
const between = (low: number, high: number) => (shape: Shape, random: Random) =>
  Float64Array.from({ length: sizeOf(shape) }, () => random.uniform(low, high));

/** What the op is asked to be, at H heads (even), K keys and V values. */
export function matrixScanCases(H: number, K: number, V: number): Omit<OpCase, 'tolerance'>[] {
  const qkv = { input: [H, K], k: [H, K], v: [H, V] } as const;
  return [
    {
      name: 'linear attention',
      inputs: qkv,
      build: (_t, { input, k, v }) => ops.matrixScan({ q: input!, k: k!, v: v! }),
    },
    {
      name: 'retention: a constant decay a head',
      inputs: qkv,
      build: (t, { input, k, v }) =>
        ops.matrixScan({ q: input!, k: k!, v: v!, decay: t.parameter('gamma', [H, 1], between(0.5, 0.9)) }),
    },
    {
      name: 'a decay a key and frame',
      inputs: { ...qkv, w: [H, K] },
      build: (_t, { input, k, v, w }) => ops.matrixScan({ q: input!, k: k!, v: v!, decay: gate(w!) }),
    },
    {
      name: 'heads that share q, k and decay',
      inputs: { input: [2, K], k: [1, K], v: [H, V], w: [2, 1] },
      build: (_t, { input, k, v, w }) => ops.matrixScan({ q: input!, k: k!, v: v!, decay: gate(w!) }),
    },
    {
      name: 'delta rule, read out before the update',
      inputs: { ...qkv, w: [H, 1], a: [H, K], b: [H, K] },
      build: (_t, { input, k, v, w, a, b }) =>
        ops.matrixScan({
          q: input!,
          k: k!,
          v: v!,
          decay: gate(w!),
          a: small(a!),
          b: small(b!),
          readOut: 'before',
        }),
    },
    {
      name: 'delta rule with a constant query and key',
      inputs: { input: [H, V], a: [H, K], b: [H, K] },
      build: (t, { input, a, b }) =>
        ops.matrixScan({
          q: t.parameter('q', [H, K]),
          k: t.parameter('k', [1, K]),
          v: input!,
          decay: t.literal(new Float64Array(H).fill(0.6), [H, 1]),
          a: small(a!),
          b: small(b!),
        }),
    },
    {
      name: 'two outer products a frame',
      inputs: { input: [H, K], k: [1, 2, K], v: [H, 2, V], w: [H, 1] },
      build: (_t, { input, k, v, w }) => ops.matrixScan({ q: input!, k: k!, v: v!, decay: gate(w!) }),
    },
    {
      name: 'read out before the update',
      inputs: { input: [H, K], k: [1, K], v: [H, 2, V], w: [2, 1] },
      build: (_t, { input, k, v, w }) =>
        ops.matrixScan({
          q: input!,
          k: ops.reshape(ops.concat([k!, ops.neg(k!)]), [1, 2, K]),
          v: v!,
          decay: gate(w!),
          readOut: 'before',
        }),
    },
    {
      name: 'a constant query and key',
      inputs: { input: [H, V] },
      build: (t, { input }) =>
        ops.matrixScan({
          q: t.parameter('q', [1, K]),
          k: t.parameter('k', [2, K]),
          v: input!,
          decay: t.parameter('gamma', [H, 1], between(0.5, 0.9)),
        }),
    },
  ];
}
