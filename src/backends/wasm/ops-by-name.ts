import { opByName, type AnyOp } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { planAttention } from './attend.ts';
import { planGru, planLstm } from './cells.ts';
import { planChunkScale } from './chunk-scale.ts';
import { planDplr } from './dplr.ts';
import {
  planAtStart,
  planClamp,
  planMaximum,
  planPhase,
  planPool,
  planRunningMaximum,
  planRunningMean,
} from './each.ts';
import * as at from './layout.ts';
import { planCopy, planEveryFrame } from './move.ts';
import { planPointwise } from './pointwise.ts';
import { planRotary } from './rotary.ts';
import { planInverseStft, planStft } from './stft.ts';
import { planSystem } from './system.ts';
import { planWkv } from './wkv.ts';

type Planner = (request: KernelRequest) => KernelPlan | undefined;

const planners: Readonly<Record<string, Planner>> = {
  'lstm-cell': planLstm,
  'gru-cell': planGru,
  'sliding-attention': planAttention,
  'dplr-scan': planDplr,
  'retention-chunk-scale': planChunkScale,
  wkv: planWkv,
  rotary: planRotary,
  'state-space': planSystem,
  clamp: planClamp,
  maximum: planMaximum,
  'running-maximum': planRunningMaximum,
  phase: planPhase,
  pool: planPool,
  'running-mean': planRunningMean,
  'at-start': planAtStart,
  sin: planPointwise(at.SIN),
  cos: planPointwise(at.COS),
  'stop-gradient': planCopy,
  last: planCopy,
  'every-frame': planEveryFrame,
  present: planEveryFrame,
  stft: planStft,
  'inverse-stft': planInverseStft,
};

/** The kernels' plans of ops that are known by their names. */
export const plannerByName = (op: AnyOp): Planner | undefined =>
  Object.hasOwn(planners, op.name) && opByName(op.name) === op ? planners[op.name] : undefined;
