import { diagonalScanOp, type DiagonalScanAttributes, type ScanPlan } from '../../../../ops/diagonal-scan.ts';
import { isConstant, sizeOf, type FloatArray } from '../../../../signal/index.ts';
import { generalStateBytes, placeGeneral, sourceField, writeGeneral } from '../../general.ts';
import * as at from '../../layout.ts';
import { Bytes, SCAN_ROLES, eachLane, familyOf, slotCount, type Scan } from '../../scan.ts';
import { throughDiscretization } from '../../adjoint.ts';
import type { ForwardCall, TrainPlan, TrainRequest } from '../kernel.ts';

/** See `../../sequence.ts`: lanes slower than this are computed in float64. */
const SLOW_LANE = 1 / 16;

/** The diagonal scan frame after frame, any operand by frame or constant: the general kernels. */
export function planScan({ attributes: given, types }: TrainRequest): TrainPlan | undefined {
  const attributes = given as DiagonalScanAttributes;
  if (familyOf(attributes.method) === undefined) return undefined;
  const scanOf = (constants: readonly (Float64Array | undefined)[], everyWide: boolean): Scan => {
    const plan: ScanPlan = diagonalScanOp.prepare!({ attributes, types, constants, precision: 'float64' });
    const aBar = plan.coefficients?.aBar;
    const wide = Uint8Array.from(plan.rounded, (_, lane) =>
      aBar && (everyWide || 1 - Math.hypot(aBar[2 * lane]!, aBar[2 * lane + 1]!) < SLOW_LANE) ? 1 : 0,
    );
    return { attributes, types, constants, plan, wide };
  };
  const zeros = types.map((type) => (isConstant(type) ? new Float64Array(sizeOf(type.shape)) : undefined));
  // Laid out for the case that every lane is slow, which weights may become.
  const model = scanOf(zeros, true);
  const places = placeGeneral(model);
  const { plan } = model;
  const isStill = plan.coefficients !== undefined;
  const slots = slotCount(attributes);
  const summed = [...SCAN_ROLES.keys(), at.M, at.M_IM, at.B_BAR, at.B_BAR_IM].filter((role) => {
    if (role >= SCAN_ROLES.length) return isStill;
    const name = SCAN_ROLES[role]!;
    const isGiven = plan.at[name] >= 0 && isConstant(types[plan.at[name]]!);
    return isGiven && (!isStill || name === 'c' || name === 'cIm');
  });
  const bytes = new Bytes();
  const generalAt = bytes.take(places.bytes);
  const sumsAt = new Map(summed.map((role) => [role, bytes.take(slots * at.SUM_BYTES)]));
  const stateAt = bytes.take(generalStateBytes(model));
  const beginAt = bytes.take(generalStateBytes(model));
  const lambdaAt = bytes.take(attributes.states * at.STATE_BYTES);
  const varying = types.flatMap((type, input) => (isConstant(type) ? [] : [input]));
  const isConstantOf = (input: number): boolean => input >= 0 && isConstant(types[input]!);

  return {
    local: false,
    native: true,
    carries: true,
    costly: true,
    reads: { inputs: varying, output: false },
    fixed: bytes.size,
    scratch: (firings) => Math.ceil(firings / at.TILE) * attributes.states * at.STATE_BYTES,
    bind(memory, origin) {
      const base = origin + generalAt;
      let scan = model;
      const point = ({ inputs }: ForwardCall, output: number): void => {
        const words = memory.u32;
        words[(base + at.OUTPUT) / 4] = output;
        for (const input of varying) {
          const role = SCAN_ROLES.findIndex((name) => plan.at[name] === input);
          words[sourceField(base, role)] = inputs[input]!;
        }
        const [state, begin] = [(origin + stateAt) / 4, (origin + beginAt) / 4];
        memory.u32.copyWithin(state, begin, begin + (slots * at.STATE_BYTES) / 4);
      };
      /** Calls `visit` for the real and the imaginary part of every lane's state, where the kernels keep it. */
      const eachPart = (visit: (view: FloatArray, index: number, part: number) => void): void => {
        const isWide = new Uint8Array(slots);
        eachLane(attributes, (slot, _position, lane) => {
          if (scan.wide[lane]) isWide[slot] = 1;
        });
        eachLane(attributes, (slot, position, lane, isPadding) => {
          if (isPadding) return;
          for (let part = 0; part < 2; part++) {
            const index = part * at.LANES + position;
            if (isWide[slot]) visit(memory.f64, slot * 8 + index, 2 * lane + part);
            else visit(memory.f32, slot * 16 + index, 2 * lane + part);
          }
        });
      };
      return {
        load(constants) {
          scan = scanOf(constants, false);
          const { u32 } = memory;
          if (places.flags > 0) {
            const flags = (base + places.flags) / 4;
            u32.fill(0, flags, flags + Math.ceil(slots / 4));
          }
          writeGeneral(scan, places, memory.u32.buffer as ArrayBuffer, base, origin + stateAt);
          u32[(base + at.LAMBDA) / 4] = origin + lambdaAt;
          u32[(base + at.BEGIN) / 4] = origin + beginAt;
          for (const [role, from] of sumsAt) {
            u32[sourceField(base, role) + at.GRADIENT / 4] = origin + from;
            const first = (origin + from) / 8;
            memory.f64.fill(0, first, first + (slots * at.SUM_BYTES) / 8);
          }
        },
        forward(call) {
          point(call, call.output);
          memory.kernels.forward(base, call.firings, 0);
        },
        back(call) {
          point(call, call.dOutput);
          const words = memory.u32;
          words[(base + at.CHECKPOINTS) / 4] = call.scratch;
          for (const input of varying) {
            const role = SCAN_ROLES.findIndex((name) => plan.at[name] === input);
            words[sourceField(base, role) + at.GRADIENT / 4] = call.dInputs[input]!;
          }
          memory.kernels.adjoint(base, call.firings);
        },
        state: {
          // In float64 lane by lane: which slots are wide changes with the weights.
          begin(from) {
            const to = origin + beginAt;
            memory.f64.fill(0, to / 8, (to + slots * at.STATE_BYTES) / 8);
            if (from)
              eachPart((view, index, lane) => (view[to / view.BYTES_PER_ELEMENT + index] = from[lane]!));
          },
          end() {
            const found = new Float64Array(2 * attributes.channels * attributes.states);
            const from = origin + stateAt;
            eachPart((view, index, lane) => (found[lane] = view[from / view.BYTES_PER_ELEMENT + index]!));
            return found;
          },
        },
        finish(give) {
          const { f64 } = memory;
          const total = (role: number, slot: number, position: number): number =>
            f64[(origin + sumsAt.get(role)!) / 8 + slot * at.LANES + position]!;
          const gradients = types.map((type, input) => (isConstant(type) ? give(input) : undefined));
          const add = (name: (typeof SCAN_ROLES)[number], lane: number, amount: number): void => {
            const input = plan.at[name];
            if (!isConstantOf(input)) return;
            const gradient = gradients[input];
            if (gradient) gradient[plan.lanes[name]![lane]!]! += amount;
          };
          eachLane(attributes, (slot, position, lane, isPadding) => {
            if (isPadding) return;
            for (const role of sumsAt.keys()) {
              if (role < SCAN_ROLES.length) add(SCAN_ROLES[role]!, lane, total(role, slot, position));
            }
            if (!isStill) return;
            const [dA, dAIm] = [total(at.M, slot, position), total(at.M_IM, slot, position)];
            const [dB, dBIm] = [total(at.B_BAR, slot, position), total(at.B_BAR_IM, slot, position)];
            throughDiscretization(scan, lane, [dA, dAIm, dB, dBIm], add);
          });
        },
      };
    },
  };
}
