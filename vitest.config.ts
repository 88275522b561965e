import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    // The last line says the totals in words that any CI can read.
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
