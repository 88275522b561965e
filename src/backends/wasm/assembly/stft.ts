// Short-time spectra, and the signal of them by overlap and add; see the ops `stft` and `inverse-stft`.

import * as at from '../layout';
import { forwardReal, inverseReal } from './fourier';
import { single } from './wide';

export function stft(d: usize, firings: i32): void {
  const channels = load<i32>(d, at.STFT_CHANNELS);
  const size = load<i32>(d, at.STFT_SIZE);
  const window = load<usize>(d, at.STFT_WINDOW);
  const frame = load<usize>(d, at.STFT_FRAME);
  const step = <usize>channels << 2;
  const spectrum = <usize>((size >> 1) + 1) << 3;
  const hop = load<usize>(d, at.STFT_HOP) * step;
  let input = load<usize>(d, at.STFT_INPUT);
  let output = load<usize>(d, at.STFT_OUTPUT);
  for (; firings > 0; firings--, input += hop) {
    for (let c = 0; c < channels; c++, output += spectrum) {
      let x = input + (<usize>c << 2);
      for (let n = 0; n < size; n++, x += step) {
        store<f64>(frame + (<usize>n << 3), load<f64>(window + (<usize>n << 3)) * <f64>load<f32>(x));
      }
      forwardReal(d, output);
    }
  }
}

export function inverseStft(d: usize, firings: i32): void {
  const channels = load<i32>(d, at.STFT_CHANNELS);
  const size = load<i32>(d, at.STFT_SIZE);
  const hop = load<i32>(d, at.STFT_HOP);
  const kept = size - hop;
  const window = load<usize>(d, at.STFT_WINDOW);
  const frame = load<usize>(d, at.STFT_FRAME);
  const weight = load<usize>(d, at.STFT_WEIGHT);
  const step = <usize>channels << 2;
  const spectrum = <usize>((size >> 1) + 1) << 3;
  let present = load<usize>(d, at.STFT_PRESENT);
  let input = load<usize>(d, at.STFT_INPUT);
  let output = load<usize>(d, at.STFT_OUTPUT);
  for (; firings > 0; firings--, present += 4, output += <usize>hop * step) {
    overlapWeight(d, weight, window, size, hop, present);
    let overlap = load<usize>(d, at.STFT_OVERLAP);
    for (let c = 0; c < channels; c++, input += spectrum, overlap += <usize>kept << 3) {
      inverseReal(d, input);
      for (let n: usize = 0; n < <usize>size << 3; n += 8) {
        store<f64>(frame + n, load<f64>(frame + n) * load<f64>(window + n));
      }
      let y = output + (<usize>c << 2);
      for (let n = 0; n < hop; n++, y += step) {
        const place = <usize>n << 3;
        let sum = load<f64>(frame + place);
        if (n < kept) sum += load<f64>(overlap + place);
        const share = load<f64>(weight + place);
        store<f32>(y, share == 0 ? 0 : single(sum / share));
      }
      const moved = <usize>hop << 3;
      for (let n = 0; n < kept; n++) {
        const place = <usize>n << 3;
        const older = n + hop < kept ? load<f64>(overlap + place + moved) : 0;
        store<f64>(overlap + place, older + load<f64>(frame + place + moved));
      }
    }
  }
}

/** Σₘ present(m) w²[n + m hop] for each n of a hop, m spectra back from the current one. */
function overlapWeight(d: usize, into: usize, window: usize, size: i32, hop: i32, present: usize): void {
  const past = load<i32>(d, at.STFT_PAST);
  memory.fill(into, 0, <usize>hop << 3);
  for (let m = 0, n = 0; n < size; m++) {
    const is = <f64>load<f32>(present + (<usize>(past - m) << 2));
    for (let i = 0; i < hop && n < size; i++, n++) {
      const w = load<f64>(window + (<usize>n << 3));
      const to = into + (<usize>i << 3);
      store<f64>(to, load<f64>(to) + is * w * w);
    }
  }
}
