/** What a state is, and what a system is, from readings: `statewave/estimation`. */
export { kalmanFilter, type KalmanFilterOptions } from './kalman-filter.ts';
export type { KalmanSystem, Matrix, ProcessNoise } from './kalman-system.ts';
export { smoothKalman, type Readings, type Smoothed } from './rts-smoother.ts';
export { identify, type Identified, type IdentifyOptions } from './identify.ts';
