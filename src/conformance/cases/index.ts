import type { Family } from '../case.ts';
import { attentionFamily } from './attention.ts';
import { discretizeFamily } from './discretize.ts';
import { filtersFamily } from './filters.ts';
import { hippoFamily } from './hippo.ts';
import { jambaFamily } from './jamba.ts';
import { namFamily } from './nam.ts';
import { cleanUMambaFamily } from './cleanumamba.ts';
import { mambaFamily, selectiveScanFamily } from './mamba.ts';
import { flaLayersFamily, flaOpsFamily } from './fla.ts';
import { performerFamily } from './performer.ts';
import { retnetFamily } from './retnet.ts';
import { s4Family } from './s4.ts';
import { s4dFamily } from './s4d.ts';
import { linearRnnFamilies } from './linear-rnn.ts';
import { tokensFamily } from './tokens.ts';
import { torchRnnFamilies } from './rnn.ts';
import { s5Family } from './s5.ts';
import { rwkvFamilies } from './rwkv.ts';
import { mamba2Family } from './mamba2.ts';
import { mamba3Families } from './mamba3.ts';
import { s4DplrFamily } from './s4-dplr.ts';
import { irregularFamily } from './irregular.ts';

/** Who takes which golden files; the first that matches. What nobody takes is unsupported. */
export const families: readonly Family[] = [
  discretizeFamily,
  hippoFamily,
  filtersFamily,
  s4dFamily,
  s4Family,
  attentionFamily,
  namFamily,
  jambaFamily,
  mambaFamily,
  selectiveScanFamily,
  cleanUMambaFamily,
  ...linearRnnFamilies,
  ...torchRnnFamilies,
  s5Family,
  ...rwkvFamilies,
  tokensFamily,
  mamba2Family,
  ...mamba3Families,
  retnetFamily,
  performerFamily,
  flaLayersFamily,
  flaOpsFamily,
  s4DplrFamily,
  irregularFamily,
];
