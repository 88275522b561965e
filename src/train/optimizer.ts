/**
 * AdamW's settings (Loshchilov & Hutter, arXiv:1711.05101, algorithm 2, with decay scaled by the learning rate as
 * PyTorch does), parameter groups included. A backend applies them where the weights are.
 */
export interface Optimizer {
  readonly kind: 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Largest Euclidean norm of the whole gradient; Infinity for no clipping. */
  readonly clip: number;
  /** The learning rate and decay of a parameter, at `rate` 1. */
  settingsOf(parameter: string): ParameterSettings;
}

export interface ParameterSettings {
  /** 0 freezes the parameter. */
  readonly rate: number;
  readonly decay: number;
}
