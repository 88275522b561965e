/** An impulse response of a room, made ready: what is heard, and what of it is wanted. */
export interface Room {
  /** From the direct sound on, which stands `lead` frames behind the start; its early part has an energy of 1. */
  readonly response: Float32Array;
  /** The same without what comes later than the early part. */
  readonly early: Float32Array;
  /** The direct sound alone. */
  readonly direct: Float32Array;
}

/** Frames kept before the direct sound: what a band-limited impulse has before its peak. */
const LEAD = 16;
/** Seconds of the direct sound: less than the first reflection is usually late. */
const DIRECT = 0.0015;
/** Seconds in which the early part fades out. */
const FADE = 0.005;
/** Frames where a response is 60 dB below its peak for good are not worth convolving with. */
const INAUDIBLE = 1e-3;

/**
 * Cuts a response to its direct sound and what follows, and splits it.
 *
 * The time of flight is taken away, so that noisy and clean speech stay aligned with the dry one; what the ear fuses
 * with the direct sound (`early` seconds, about 50 ms: Bradley, Sato and Picard, "On the importance of early
 * reflections for speech in rooms", J. Acoust. Soc. Am. 113, 2003) is what a denoiser should leave.
 *
 * @param response any response; its largest peak is taken for the direct sound.
 * @param early seconds behind the direct sound.
 */
export function prepareRoom(response: Float32Array, sampleRate: number, early: number): Room {
  let peak = 0;
  for (let k = 1; k < response.length; k++) {
    if (Math.abs(response[k]!) > Math.abs(response[peak]!)) peak = k;
  }
  const least = Math.abs(response[peak]!) * INAUDIBLE;
  let end = response.length;
  while (end > peak + 1 && Math.abs(response[end - 1]!) < least) end--;
  const start = Math.max(0, peak - LEAD);
  const whole = response.slice(start, end);
  const cut = (seconds: number): Float32Array => {
    const hold = peak - start + Math.round(seconds * sampleRate);
    const fade = Math.max(1, Math.round(Math.min(FADE, seconds) * sampleRate));
    const part = whole.slice(0, hold + fade);
    for (let i = Math.max(0, hold); i < part.length; i++) {
      part[i] = part[i]! * (0.5 + 0.5 * Math.cos((Math.PI * (i - hold + 1)) / (fade + 1)));
    }
    return part;
  };
  const parts = { response: whole, early: cut(early), direct: cut(DIRECT) };
  let energy = 0;
  for (const h of parts.early) energy += h * h;
  const gain = 1 / Math.sqrt(energy);
  for (const part of Object.values(parts)) for (let i = 0; i < part.length; i++) part[i] = part[i]! * gain;
  return parts;
}
