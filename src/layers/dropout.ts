import { dropout as dropoutOf, type DropoutOptions } from '../ops/index.ts';
import { defineLayer, type Layer } from '../signal/index.ts';

export interface DropoutLayerOptions extends DropoutOptions {
  readonly features: number;
}

/**
 * Dropout between layers; nothing at all in a stream.
 *
 * @throws ArgumentError for a rate that is not from 0 to below 1.
 * @example
 * const model = sequential([s4d({ features: 8 }), dropout({ features: 8, rate: 0.1, tied: true })]);
 */
export const dropout = ({ features, ...options }: DropoutLayerOptions): Layer =>
  defineLayer({ name: 'dropout', features, apply: (_trace, x) => dropoutOf(x, options) });
