import { nearestName } from '../checkpoint/similar-name.ts';
import { ArgumentError } from '../errors.ts';
import type { Model, Shape } from '../signal/index.ts';
import type { Config, ModelFormat } from './format.ts';
import { attentionFormat } from './formats/attention.ts';
import { jambaFormat } from './formats/jamba.ts';
import { namFormat } from './formats/nam.ts';
import { attenuateFormat } from './formats/attenuate.ts';
import { cleanUMambaFormat } from './formats/cleanumamba.ts';
import { mambaFormat, mambaLmFormat } from './formats/mamba.ts';
import { linearTransformerFormat, performerFormat } from './formats/fast-transformers.ts';
import { flaFormats } from './formats/fla.ts';
import { retnetFormat } from './formats/retnet.ts';
import { rtneuralFormat } from './formats/rtneural.ts';
import { s4Format } from './formats/s4.ts';
import { s4dFormat } from './formats/s4d.ts';
import { s5Format } from './formats/s5.ts';
import { stackFormat } from './formats/stack.ts';
import { rwkvFormats } from './formats/rwkv.ts';
import { lruFormat } from './formats/lru.ts';
import { minGruFormat } from './formats/min-gru.ts';
import { rgLruFormat } from './formats/rg-lru.ts';
import { gruFormat, lstmFormat } from './formats/torch-rnn.ts';
import { mamba2BlockFormat, mamba2Format } from './formats/mamba2.ts';
import { mamba3Format } from './formats/mamba3.ts';
import { spectralMambaFormat } from './formats/spectral-mamba.ts';

/** Every architecture whose checkpoints can be loaded. */
export const modelFormats: readonly ModelFormat[] = [
  s4dFormat,
  s4Format,
  retnetFormat,
  ...flaFormats,
  linearTransformerFormat,
  performerFormat,
  attentionFormat,
  namFormat,
  rtneuralFormat,
  jambaFormat,
  s5Format,
  lruFormat,
  minGruFormat,
  rgLruFormat,
  lstmFormat,
  gruFormat,
  mambaFormat,
  mambaLmFormat,
  attenuateFormat,
  cleanUMambaFormat,
  ...rwkvFormats,
  mamba2Format,
  mamba2BlockFormat,
  mamba3Format,
  spectralMambaFormat,
  // A stack's layers are of any of these formats.
  stackFormat((format, config) => modelFor(format, config)),
];

const byName = new Map(modelFormats.map((format) => [format.name, format]));

/**
 * The format of a name.
 *
 * @throws ArgumentError for an unknown one; the message lists the known.
 */
export function formatByName(name: string): ModelFormat {
  const format = byName.get(name);
  if (format) return format;
  const near = nearestName(name, byName.keys());
  throw new ArgumentError(
    `format ${JSON.stringify(name)} is unknown${near === undefined ? '' : `, did you mean "${near}"?`}; ` +
      `use one of ${[...byName.keys()].join(', ')}`,
  );
}

/**
 * The model that a checkpoint's format and configuration describe, without weights.
 *
 * @param shapes of the checkpoint's tensors, for architectures whose sizes only the weights know.
 * @throws ArgumentError, GraphError as `ModelFormat.build`.
 * @example
 * const model = modelFor('s4', { mode: 's4d', d_model: 4, d_state: 16, disc: 'bilinear' });
 */
export const modelFor = (format: string, config: Config, shapes?: ReadonlyMap<string, Shape>): Model =>
  formatByName(format).build(config, shapes);
