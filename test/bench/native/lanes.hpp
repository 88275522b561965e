// Vectors of LANES floats through GCC's vector extensions: one source in 128-bit (LANES=4), 256-bit (8) and 512-bit (16)
// form. Multiplications and additions contract to FMA by GCC's default.
#pragma once
#include <cstring>

#ifndef LANES
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#endif

typedef float V __attribute__((vector_size(4 * LANES)));
typedef int I __attribute__((vector_size(4 * LANES)));

static inline V load(const float *from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
static inline void store(float *to, V v) { std::memcpy(to, &v, sizeof v); }
static inline V splat(float x) { return x - V{}; }

// e^x: x = n ln 2 + r with |r| ≤ ln 2 / 2, e^r by its Taylor polynomial of degree 6 (2e-7), 2^n through the exponent's bits.
static inline V exponential(V x) {
  x = x < -87.0f ? splat(-87.0f) : x;
  x = x > 87.0f ? splat(87.0f) : x;
  const V magic = splat(12582912.0f); // 1.5 · 2^23: adding it rounds to a whole number
  V n = x * 1.44269504f + magic;
  I bits = (I)n << 23;
  n -= magic;
  V r = x - n * 0.693359375f + n * 2.12194440e-4f;
  V p = r * (1.0f / 720) + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return (V)((I)p + bits);
}

static inline V sigmoid(V x) { return 1.0f / (1.0f + exponential(-x)); }
static inline V hyperbolic(V x) { return 1.0f - 2.0f / (1.0f + exponential(2.0f * x)); }
