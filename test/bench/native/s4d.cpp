// S4D's recurrence over a block, B folded into C, four states of LANES channels in registers:
//
//   x[k] = Ā x[k−1] + u[k],   y[k] = Re Σₙ c̃ x[k]
//
//   s4d PARAMETERS CHANNELS STATES BLOCK
//   parameters: Ā re, Ā im, c̃ re, c̃ im (channels × states each)
#include "lanes.hpp"
#include "serve.hpp"

struct S4d {
  int channels, states, block;
  std::vector<float> coefficients, state; // [group][state][aRe aIm cRe cIm | re im][lane]
  std::vector<V> u, y;

  S4d(Numbers &from, int channels, int states, int block)
      : channels(channels), states(states), block(block), coefficients((size_t)channels * states * 4),
        state((size_t)channels * states * 2), u(block), y(block) {
    for (int part = 0; part < 4; part++) {
      const float *values = from.take((size_t)channels * states);
      for (int h = 0; h < channels; h++)
        for (int n = 0; n < states; n++)
          coefficients[(((size_t)(h / LANES) * states + n) * 4 + part) * LANES + h % LANES] = values[h * states + n];
    }
  }

  void reset() { std::fill(state.begin(), state.end(), 0.0f); }

  void process(const float *in, float *out) {
    for (int g = 0; g < channels / LANES; g++) {
      for (int t = 0; t < block; t++) u[t] = load(in + t * channels + g * LANES);
      for (int n = 0; n < states; n += 4) four(g * states + n, n == 0);
      for (int t = 0; t < block; t++) store(out + t * channels + g * LANES, y[t]);
    }
  }

  void four(int slot, bool first) {
    const float *c = coefficients.data() + (size_t)slot * 4 * LANES;
    float *x = state.data() + (size_t)slot * 2 * LANES;
    V aRe[4], aIm[4], cRe[4], cIm[4], re[4], im[4];
    for (int j = 0; j < 4; j++) {
      aRe[j] = load(c + (4 * j + 0) * LANES);
      aIm[j] = load(c + (4 * j + 1) * LANES);
      cRe[j] = load(c + (4 * j + 2) * LANES);
      cIm[j] = load(c + (4 * j + 3) * LANES);
      re[j] = load(x + (2 * j + 0) * LANES);
      im[j] = load(x + (2 * j + 1) * LANES);
    }
    for (int t = 0; t < block; t++) {
      V in = u[t], sum = first ? V{} : y[t];
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) {
        V next = aRe[j] * re[j] + in - aIm[j] * im[j];
        im[j] = aRe[j] * im[j] + aIm[j] * re[j];
        re[j] = next;
        sum = sum + cRe[j] * re[j] - cIm[j] * im[j];
      }
      y[t] = sum;
    }
    for (int j = 0; j < 4; j++) {
      store(x + (2 * j + 0) * LANES, re[j]);
      store(x + (2 * j + 1) * LANES, im[j]);
    }
  }
};

int main(int, char **argv) {
  Numbers from(argv[1]);
  int channels = std::atoi(argv[2]), states = std::atoi(argv[3]), block = std::atoi(argv[4]);
  if (channels % LANES || states % 4) {
    std::fprintf(stderr, "%d channels in lanes of %d, %d states by fours\n", channels, LANES, states);
    return 1;
  }
  S4d kernel(from, channels, states, block);
  return serve(kernel, channels, channels, block);
}
