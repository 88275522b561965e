// The side of a native peer that talks: numbers come in files of float32, orders on stdin, one a line.
//
//   answer IN OUT    resets, runs over the frames of IN, writes the outputs to OUT; says "ok"
//   run N            processes a block N times, carrying the state on; says how many nanoseconds that took
#pragma once
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

static std::vector<float> readFloats(const char *path) {
  FILE *file = std::fopen(path, "rb");
  if (!file) {
    std::perror(path);
    std::exit(1);
  }
  std::vector<float> values;
  float part[4096];
  for (size_t n; (n = std::fread(part, 4, 4096, file)) > 0;) values.insert(values.end(), part, part + n);
  std::fclose(file);
  return values;
}

// Takes arrays off a file of parameters, one behind the other.
struct Numbers {
  std::vector<float> all;
  size_t at = 0;
  explicit Numbers(const char *path) : all(readFloats(path)) {}
  const float *take(size_t count) {
    if (at + count > all.size()) {
      std::fprintf(stderr, "parameters end at %zu, %zu more wanted at %zu\n", all.size(), count, at);
      std::exit(1);
    }
    at += count;
    return all.data() + at - count;
  }
};

// Noise of the bench's own kind: uniform in ±1, so that no state decays to subnormals.
static std::vector<float> noise(size_t count) {
  std::vector<float> values(count);
  unsigned seed = 1;
  for (float &x : values) x = (seed = seed * 1664525u + 1013904223u) * (2.0f / 4294967296.0f) - 1.0f;
  return values;
}

template <class Kernel> int serve(Kernel &kernel, int inputs, int outputs, int block) {
  std::vector<float> in = noise((size_t)block * inputs), out((size_t)block * outputs);
  char order[16], from[2048], to[2048];
  while (std::scanf("%15s", order) == 1) {
    if (std::string(order) == "answer" && std::scanf("%2047s %2047s", from, to) == 2) {
      std::vector<float> probe = readFloats(from);
      FILE *file = std::fopen(to, "wb");
      if (!file) return 1;
      kernel.reset();
      for (size_t at = 0; at + (size_t)block * inputs <= probe.size(); at += (size_t)block * inputs) {
        kernel.process(probe.data() + at, out.data());
        std::fwrite(out.data(), 4, out.size(), file);
      }
      std::fclose(file);
      std::puts("ok");
    } else if (std::string(order) == "run") {
      long pieces = 0;
      if (std::scanf("%ld", &pieces) != 1) return 1;
      auto start = std::chrono::steady_clock::now();
      for (long i = 0; i < pieces; i++) {
        kernel.process(in.data(), out.data());
        // The outputs are wanted, and the inputs may have changed.
        asm volatile("" : : "r"(in.data()), "r"(out.data()) : "memory");
      }
      auto time = std::chrono::steady_clock::now() - start;
      std::printf("%lld\n", (long long)std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
    } else {
      return 1;
    }
    std::fflush(stdout);
  }
  return 0;
}
