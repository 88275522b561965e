// LSTM of one input, torch's gates (i, f, g, o), hidden units in lanes:
//
//   a = w u[k] + W h[k−1] + b
//   c[k] = σ(a_f) c[k−1] + σ(a_i) tanh(a_g),   h[k] = σ(a_o) tanh(c[k])
//
//   lstm PARAMETERS BLOCK
//   parameters: weight_ih (4·16 × 1), weight_hh (4·16 × 16), bias (4·16, the sum of both)
#include "lanes.hpp"
#include "serve.hpp"

constexpr int HIDDEN = 16, GATES = 4 * HIDDEN, VECTORS = HIDDEN / LANES;

struct Lstm {
  int block;
  float input[GATES], recurrent[HIDDEN][GATES], bias[GATES], h[HIDDEN];
  V c[VECTORS];

  Lstm(Numbers &from, int block) : block(block) {
    std::memcpy(input, from.take(GATES), sizeof input);
    const float *weights = from.take(GATES * HIDDEN);
    for (int row = 0; row < GATES; row++)
      for (int k = 0; k < HIDDEN; k++) recurrent[k][row] = weights[row * HIDDEN + k];
    std::memcpy(bias, from.take(GATES), sizeof bias);
    reset();
  }

  void reset() {
    std::memset(h, 0, sizeof h);
    std::memset(c, 0, sizeof c);
  }

  void process(const float *in, float *out) {
    for (int t = 0; t < block; t++) {
      V a[4 * VECTORS];
#pragma GCC unroll 16
      for (int v = 0; v < 4 * VECTORS; v++) a[v] = load(bias + v * LANES) + load(input + v * LANES) * in[t];
#pragma GCC unroll 16
      for (int k = 0; k < HIDDEN; k++) {
        V past = splat(h[k]);
#pragma GCC unroll 16
        for (int v = 0; v < 4 * VECTORS; v++) a[v] += load(recurrent[k] + v * LANES) * past;
      }
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) {
        c[v] = sigmoid(a[VECTORS + v]) * c[v] + sigmoid(a[v]) * hyperbolic(a[2 * VECTORS + v]);
        store(h + v * LANES, sigmoid(a[3 * VECTORS + v]) * hyperbolic(c[v]));
      }
      std::memcpy(out + t * HIDDEN, h, sizeof h);
    }
  }
};

int main(int, char **argv) {
  Numbers from(argv[1]);
  int block = std::atoi(argv[2]);
  Lstm kernel(from, block);
  return serve(kernel, 1, HIDDEN, block);
}
