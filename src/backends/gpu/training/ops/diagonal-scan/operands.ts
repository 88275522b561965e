import type { DiagonalScanAttributes, ScanRole } from '../../../../../ops/diagonal-scan.ts';
import { operandShape } from '../../../../../ops/diagonal-scan.ts';
import { isConstant } from '../../../../../signal/index.ts';
import { real, ZERO, type Complex } from '../../../expression.ts';
import type { ForwardCall } from '../../kernels.ts';
import { at, widthOf, type Tensor } from '../../tensor.ts';

/**
 * A scan's operands, and how lanes stand in the device's arrays.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | H, N | channels, states a channel | |
 * | J | lanes, H·N | lane n·H + h: neighbouring threads read neighbouring channels |
 * | parts | numbers of a state | 1, or 2 for a complex one: all real parts, then all imaginary ones |
 */
export interface Scan {
  readonly attributes: DiagonalScanAttributes;
  readonly channels: number;
  readonly states: number;
  readonly lanes: number;
  readonly parts: 1 | 2;
  readonly complex: boolean;
  /** Input number of each role. */
  readonly position: Readonly<Partial<Record<ScanRole, number>>>;
  readonly varies: (role: ScanRole) => boolean;
  readonly tensor: (role: ScanRole) => Tensor | undefined;
  readonly frames: number;
  readonly items: number;
}

export function scanOf(call: ForwardCall): Scan {
  const attributes = call.attributes as DiagonalScanAttributes;
  const { channels, states, complex, roles } = attributes;
  const position: Partial<Record<ScanRole, number>> = {};
  roles.forEach((role, i) => (position[role] = i));
  return {
    attributes,
    channels,
    states,
    lanes: channels * states,
    parts: complex ? 2 : 1,
    complex,
    position,
    varies: (role) => position[role] !== undefined && !isConstant(call.types[position[role]]!),
    tensor: (role) => (position[role] === undefined ? undefined : call.inputs[position[role]]),
    frames: call.dims[1]!,
    items: call.items,
  };
}

/** (R × C) of an operand, as the op reads its shape; u is a column. */
export function rowsAndColumns(call: ForwardCall, role: ScanRole): readonly [number, number] {
  const scan = scanOf(call);
  if (role === 'u' || role === 'uIm') return [scan.channels, 1];
  return operandShape(call.types[scan.position[role]!]!.shape);
}

/** Text of an operand's element for channel h and state n; 1 for an absent b or dt, 0 for any other. */
export function operandText(
  call: ForwardCall,
  role: ScanRole,
  lane: { readonly h: string; readonly n: string },
  frame?: string,
): string {
  const scan = scanOf(call);
  const tensor = scan.tensor(role);
  if (!tensor) return role === 'b' || role === 'dt' ? '1' : ZERO;
  const [rows, columns] = rowsAndColumns(call, role);
  const row =
    rows === 1
      ? '0'
      : rows === scan.channels
        ? lane.h
        : `Math.floor((${lane.h} + 0.5) / ${scan.channels / rows})`;
  const element = columns === 1 ? row : rows === 1 ? lane.n : `${row} * ${columns} + ${lane.n}`;
  // Both parts of the input may be one array.
  const joined = role === 'uIm' && widthOf(tensor) === 2 * scan.channels;
  return at(role, tensor, joined ? `${element} + ${scan.channels}` : element, frame);
}

/** The names and tensors that `operandText` of these roles reads. */
export const operandInputs = (
  call: ForwardCall,
  roles: readonly ScanRole[],
): Readonly<Record<string, Tensor>> => {
  const scan = scanOf(call);
  return Object.fromEntries(
    roles.flatMap((role) => {
      const tensor = scan.tensor(role);
      return tensor ? [[role, tensor]] : [];
    }),
  );
};

/** A complex operand; a real state has no imaginary part for an imaginary operand to meet. */
export const operandPair = (
  call: ForwardCall,
  role: 'u' | 'a' | 'b' | 'c',
  lane: { readonly h: string; readonly n: string },
  frame?: string,
): Complex => {
  const re = operandText(call, role, lane, frame);
  return scanOf(call).complex ? [re, operandText(call, `${role}Im`, lane, frame)] : real(re);
};
