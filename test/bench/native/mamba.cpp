// The Mamba mixer over a block, weights packed once, outputs of a product and channels of the scan in lanes:
//
//   x, z = in_proj(u);   x ← SiLU(causal depthwise convolution of x)
//   δ, B, C = x_proj(x);   dt = softplus(dt_proj δ + bias)
//   h[k] = e^{dt A} h[k−1] + dt B x[k];   y = (C h + D x) SiLU(z);   out_proj(y)
//
//   mamba PARAMETERS BLOCK
//   parameters: in_proj (2E × M), convolution (E × 4), its bias (E), x_proj (R + 2N × E), dt_proj (E × R), its bias (E),
//   A = −exp(A_log) (E × N), D (E), out_proj (M × E)
#include "lanes.hpp"
#include "serve.hpp"

constexpr int MODEL = 64, INNER = 128, STATES = 16, RANK = 4, TAPS = 4;

// y[t] = W x[t]: weights as [group of outputs][input][lane], a tile of FRAMES × 3 vectors of sums in registers.
struct Dense {
  int inputs, vectors;
  std::vector<float> packed;

  Dense(const float *weights, int outputs, int inputs)
      : inputs(inputs), vectors((outputs + LANES - 1) / LANES), packed((size_t)vectors * LANES * inputs) {
    for (int row = 0; row < outputs; row++)
      for (int k = 0; k < inputs; k++)
        packed[((size_t)(row / LANES) * inputs + k) * LANES + row % LANES] = weights[row * inputs + k];
  }

  // `width` is the stride of the output frames, a multiple of LANES.
  void run(const float *x, float *y, int width, int frames) const {
    int v = 0;
    for (; v + 2 <= vectors; v += 2) tiles<2>(x, y, width, frames, v);
    for (; v < vectors; v++) tiles<1>(x, y, width, frames, v);
  }

  template <int WIDE> void tiles(const float *x, float *y, int width, int frames, int v) const {
    int t = 0;
    for (; t + 8 <= frames; t += 8) tile<8, WIDE>(x + t * inputs, y + t * width + v * LANES, width, v);
    for (; t < frames; t++) tile<1, WIDE>(x + t * inputs, y + t * width + v * LANES, width, v);
  }

  template <int FRAMES, int WIDE> void tile(const float *x, float *y, int width, int v) const {
    V sum[FRAMES][WIDE] = {};
    const float *w = packed.data() + (size_t)v * inputs * LANES;
    for (int k = 0; k < inputs; k++) {
      V weight[WIDE];
#pragma GCC unroll 2
      for (int j = 0; j < WIDE; j++) weight[j] = load(w + ((size_t)j * inputs + k) * LANES);
#pragma GCC unroll 8
      for (int f = 0; f < FRAMES; f++)
#pragma GCC unroll 2
        for (int j = 0; j < WIDE; j++) sum[f][j] += weight[j] * x[f * inputs + k];
    }
    for (int f = 0; f < FRAMES; f++)
      for (int j = 0; j < WIDE; j++) store(y + f * width + j * LANES, sum[f][j]);
  }
};

// ln(1 + e^x) = max(x, 0) + log1p(e^−|x|); log1p(w) = 2 artanh(w / (2 + w)), w in (0, 1].
static inline V softplus(V x) {
  V w = exponential(x < 0.0f ? x : -x), s = w / (2.0f + w), q = s * s;
  V p = q * (1.0f / 13) + 1.0f / 11;
  p = p * q + 1.0f / 9;
  p = p * q + 1.0f / 7;
  p = p * q + 1.0f / 5;
  p = p * q + 1.0f / 3;
  p = p * q + 1.0f;
  return (x > 0.0f ? x : V{}) + 2.0f * s * p;
}

struct Mamba {
  static constexpr int PROJECTED = (RANK + 2 * STATES + LANES - 1) / LANES * LANES;
  int block;
  // In the order of the file, which is the order of construction.
  Dense inProj;
  std::vector<float> taps, convBias;
  Dense xProj, dtProj;
  std::vector<float> dtBias, poles, skip;
  Dense outProj;
  std::vector<float> past, state, xz, x, projected, delta, dt, y;

  Mamba(Numbers &from, int block)
      : block(block), inProj(from.take(2 * INNER * MODEL), 2 * INNER, MODEL),
        taps(transposed(from.take(INNER * TAPS), INNER, TAPS)), convBias(array(from.take(INNER), INNER)),
        xProj(from.take((RANK + 2 * STATES) * INNER), RANK + 2 * STATES, INNER),
        dtProj(from.take(INNER * RANK), INNER, RANK), dtBias(array(from.take(INNER), INNER)),
        poles(transposed(from.take(INNER * STATES), INNER, STATES)), skip(array(from.take(INNER), INNER)),
        outProj(from.take(MODEL * INNER), MODEL, INNER), past((TAPS - 1) * INNER), state(INNER * STATES),
        xz((size_t)block * 2 * INNER), x((size_t)block * INNER), projected((size_t)block * PROJECTED),
        delta((size_t)block * RANK), dt((size_t)block * INNER), y((size_t)block * INNER) {}

  static std::vector<float> array(const float *from, int count) { return std::vector<float>(from, from + count); }

  static std::vector<float> transposed(const float *from, int rows, int columns) {
    std::vector<float> to((size_t)rows * columns);
    for (int r = 0; r < rows; r++)
      for (int c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
    return to;
  }

  void reset() {
    std::fill(past.begin(), past.end(), 0.0f);
    std::fill(state.begin(), state.end(), 0.0f);
  }

  void process(const float *in, float *out) {
    inProj.run(in, xz.data(), 2 * INNER, block);
    for (int e = 0; e < INNER; e += LANES) convolve(e);
    xProj.run(x.data(), projected.data(), PROJECTED, block);
    for (int t = 0; t < block; t++) std::memcpy(&delta[t * RANK], &projected[t * PROJECTED], RANK * sizeof(float));
    dtProj.run(delta.data(), dt.data(), INNER, block);
    for (int e = 0; e < INNER; e += LANES) scan(e);
    outProj.run(y.data(), out, MODEL, block);
  }

  void convolve(int e) {
    V window[TAPS], weight[TAPS], bias = load(&convBias[e]);
    for (int k = 0; k < TAPS; k++) weight[k] = load(&taps[k * INNER + e]);
    for (int k = 0; k < TAPS - 1; k++) window[k] = load(&past[k * INNER + e]);
    for (int t = 0; t < block; t++) {
      window[TAPS - 1] = load(&xz[t * 2 * INNER + e]);
      V sum = bias;
      for (int k = 0; k < TAPS; k++) sum += weight[k] * window[k];
      for (int k = 0; k < TAPS - 1; k++) window[k] = window[k + 1];
      store(&x[t * INNER + e], sum * sigmoid(sum));
    }
    for (int k = 0; k < TAPS - 1; k++) store(&past[k * INNER + e], window[k]);
  }

  void scan(int e) {
    V h[STATES], a[STATES];
    for (int n = 0; n < STATES; n++) {
      h[n] = load(&state[n * INNER + e]);
      a[n] = load(&poles[n * INNER + e]);
    }
    V d = load(&skip[e]), bias = load(&dtBias[e]);
    for (int t = 0; t < block; t++) {
      const float *B = &projected[t * PROJECTED + RANK], *C = B + STATES;
      V step = softplus(load(&dt[t * INNER + e]) + bias), input = load(&x[t * INNER + e]), z = load(&xz[t * 2 * INNER + INNER + e]);
      V driven = step * input, sum = d * input;
#pragma GCC unroll 16
      for (int n = 0; n < STATES; n++) {
        h[n] = exponential(step * a[n]) * h[n] + driven * B[n];
        sum += h[n] * C[n];
      }
      store(&y[t * INNER + e], sum * z * sigmoid(z));
    }
    for (int n = 0; n < STATES; n++) store(&state[n * INNER + e], h[n]);
  }
};

int main(int, char **argv) {
  Numbers from(argv[1]);
  int block = std::atoi(argv[2]);
  Mamba kernel(from, block);
  return serve(kernel, MODEL, MODEL, block);
}
