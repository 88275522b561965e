/** Classical filters: design, conversion between their forms, response, stability. Pure functions on plain data. */
export { bilinear, prewarp } from './bilinear.ts';
export { biquad, type BiquadSpec, type BiquadType } from './biquad.ts';
export { conditioning, type Conditioning, type Precision } from './conditioning.ts';
export {
  designFilter,
  designSections,
  type AnalogFilterSpec,
  type DigitalFilterSpec,
  type FilterFamily,
  type FilterSpec,
  type FilterType,
} from './design.ts';
export { frequencyResponse, type FrequencyResponse } from './frequency-response.ts';
export { matchedZ, type MatchedOptions } from './matched.ts';
export { bessel } from './prototypes/bessel.ts';
export { butterworth } from './prototypes/butterworth.ts';
export { chebyshev1 } from './prototypes/chebyshev1.ts';
export { chebyshev2 } from './prototypes/chebyshev2.ts';
export { elliptic } from './prototypes/elliptic.ts';
export { roots } from './roots.ts';
export { sectionToSs } from './section-to-ss.ts';
export { requireSections } from './sections.ts';
export { sosInitialState } from './sos-initial-state.ts';
export { sosToTf } from './sos-to-tf.ts';
export { ssToSos } from './ss-to-sos.ts';
export { ssToTf } from './ss-to-tf.ts';
export { ssToZpk } from './ss-to-zpk.ts';
export { isStable, requireStable, type AnyFilter } from './stability.ts';
export { tfToSos } from './tf-to-sos.ts';
export { tfToSs } from './tf-to-ss.ts';
export { tfToZpk } from './tf-to-zpk.ts';
export { toBandpass, toBandstop, toHighpass, toLowpass } from './transform.ts';
export type { Complex, Domain, Section, SisoStateSpace, TransferFunction, ZerosPolesGain } from './types.ts';
export { zpkToSos } from './zpk-to-sos.ts';
export { zpkToSs } from './zpk-to-ss.ts';
export { zpkToTf } from './zpk-to-tf.ts';
