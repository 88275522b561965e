import type { FloatArray } from '../../signal/index.ts';
import { isConstant, sizeOf } from '../../signal/index.ts';
import type { ScanRole } from '../../ops/diagonal-scan.ts';
import type { SequenceJob } from '../sequence.ts';
import { generalStateBytes, placeGeneral, sourceField, writeGeneral } from './general.ts';
import * as at from './layout.ts';
import type { WasmBuild } from './module.ts';
import { Bytes, SCAN_ROLES, eachLane, slotCount, type Scan } from './scan.ts';

/** The gradient of every input over a batch; a constant's is summed over batch and time. */
export function adjointSequences(
  build: WasmBuild,
  job: SequenceJob,
  scan: Scan,
  dOutput: FloatArray,
): FloatArray[] {
  const { types, batch, frames } = job;
  const { attributes, plan } = scan;
  const slots = slotCount(attributes);
  const width = dOutput.length / (batch * frames || 1);
  const places = placeGeneral(scan);
  const bytes = new Bytes();
  const base = bytes.take(places.bytes);
  const state = bytes.take(generalStateBytes(scan));
  const checkpoints = bytes.take(Math.ceil(frames / at.TILE) * attributes.states * at.STATE_BYTES);
  const lambda = bytes.take(attributes.states * at.STATE_BYTES);
  const outputAt = bytes.take(4 * frames * width);
  const varying = types.flatMap((type, input) =>
    isConstant(type)
      ? []
      : [
          {
            input,
            length: frames * sizeOf(type.shape),
            valueAt: bytes.take(4 * frames * sizeOf(type.shape)),
            gradientAt: bytes.take(4 * frames * sizeOf(type.shape)),
          },
        ],
  );
  // Sums of a slot's four lanes, for every constant operand, or of dĀ and dB̄ where these stand still.
  const summed = [...SCAN_ROLES.keys(), at.M, at.M_IM, at.B_BAR, at.B_BAR_IM].filter((role) => {
    if (role >= SCAN_ROLES.length) return plan.coefficients !== undefined;
    const name = SCAN_ROLES[role]!;
    const isConstantInput = plan.at[name] >= 0 && scan.constants[plan.at[name]] !== undefined;
    return isConstantInput && (plan.coefficients === undefined || name === 'c' || name === 'cIm');
  });
  const sums = new Map(summed.map((role) => [role, bytes.take(slots * at.SUM_BYTES)]));

  const { buffer, kernels } = build.open(bytes.size);
  const words = new Uint32Array(buffer);
  const view = (from: number, length: number): Float32Array => new Float32Array(buffer, from, length);
  writeGeneral(scan, places, buffer, base, state);
  words[(base + at.CHECKPOINTS) / 4] = checkpoints;
  words[(base + at.LAMBDA) / 4] = lambda;
  words[(base + at.OUTPUT) / 4] = outputAt;
  const gradientField = (role: number): number => sourceField(base, role) + at.GRADIENT / 4;
  for (const { input, valueAt, gradientAt } of varying) {
    const role = SCAN_ROLES.findIndex((name) => plan.at[name] === input);
    words[sourceField(base, role)] = valueAt;
    words[gradientField(role)] = gradientAt;
  }
  for (const [role, from] of sums) words[gradientField(role)] = from;

  const gradients = types.map((type, i): FloatArray =>
    isConstant(type) ? new Float64Array(job.inputs[i]!.length) : new Float32Array(job.inputs[i]!.length),
  );
  for (let item = 0; item < batch; item++) {
    view(outputAt, frames * width).set(dOutput.subarray(item * frames * width, (item + 1) * frames * width));
    for (const { input, length, valueAt, gradientAt } of varying) {
      view(valueAt, length).set(job.inputs[input]!.subarray(item * length, (item + 1) * length));
      view(gradientAt, length).fill(0);
    }
    kernels.adjoint(base, frames);
    for (const { input, length, gradientAt } of varying) {
      gradients[input]!.set(view(gradientAt, length), item * length);
    }
  }

  const doubles = new Float64Array(buffer);
  const total = (role: number, slot: number, position: number): number =>
    doubles[sums.get(role)! / 8 + slot * at.LANES + position]!;
  const give = (name: ScanRole, lane: number, amount: number): void => {
    const input = plan.at[name];
    if (input >= 0) gradients[input]![plan.lanes[name]![lane]!]! += amount;
  };
  eachLane(attributes, (slot, position, lane, isPadding) => {
    if (isPadding) return;
    for (const role of sums.keys()) {
      if (role < SCAN_ROLES.length) give(SCAN_ROLES[role]!, lane, total(role, slot, position));
    }
    if (plan.coefficients === undefined) return;
    const [dA, dAIm] = [total(at.M, slot, position), total(at.M_IM, slot, position)];
    const [dB, dBIm] = [total(at.B_BAR, slot, position), total(at.B_BAR_IM, slot, position)];
    throughDiscretization(scan, lane, [dA, dAIm, dB, dBIm], give);
  });
  return gradients;
}

const evaluated = new Float64Array(8);

/** dĀ and dB̄ of a lane to its a, b and dt, once for all frames: see `diagonalScanAdjoint` for the equations. */
export function throughDiscretization(
  { attributes: { method }, plan, constants }: Scan,
  lane: number,
  [dA, dAIm, dB, dBIm]: readonly [number, number, number, number],
  give: (name: ScanRole, lane: number, amount: number) => void,
): void {
  const value = (name: ScanRole, otherwise: number): number =>
    plan.at[name] < 0 ? otherwise : constants[plan.at[name]]![plan.lanes[name]![lane]!]!;
  const [a, aIm, b, bIm, dt] = [
    value('a', 0),
    value('aIm', 0),
    value('b', 1),
    value('bIm', 0),
    value('dt', 1),
  ];
  method.evaluate(dt * a, dt * aIm, evaluated);
  const [, , f, fIm, g, gIm, s, sIm] = evaluated;
  const [w, wIm] = [dt * (b * s! - bIm * sIm!), dt * (b * sIm! + bIm * s!)];
  const z = dA * f! + dAIm * fIm! + dB * w + dBIm * wIm;
  const zIm = dAIm * f! - dA * fIm! + dBIm * w - dB * wIm;
  give('b', lane, dt * (dB * g! + dBIm * gIm!));
  give('bIm', lane, dt * (dBIm * g! - dB * gIm!));
  give('a', lane, dt * z);
  give('aIm', lane, dt * zIm);
  give('dt', lane, z * a + zIm * aIm + dB * (g! * b - gIm! * bIm) + dBIm * (g! * bIm + gIm! * b));
}
