/**
 * Imports point one way: math ← linalg ← discretize, init, filters; signal ← ops (on discretize, linalg) ← layers ← models;
 * backends know ops and nothing above; stream and train know graphs and backends, never a named layer.
 */
const may = (folder, ...allowed) => ({
  name: `${folder}-imports`,
  comment: `src/${folder} may import ${allowed.join(', ') || 'nothing of ours'} alone`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^(src|operators|examples)/',
    pathNot: `^src/(${[folder, ...allowed].join('|')})/|^src/errors\\.ts$`,
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    may('math'),
    may('linalg', 'math'),
    may('signal'),
    may('discretize', 'linalg', 'math'),
    may('init', 'linalg', 'math'),
    may('filters', 'linalg', 'math'),
    may('ops', 'signal', 'discretize', 'linalg', 'math'),
    may('backends', 'signal', 'ops', 'discretize', 'math'),
    may('stream', 'signal', 'backends'),
    may('train', 'signal', 'ops', 'discretize', 'backends', 'stream', 'math', 'init', 'filters', 'audio', 'checkpoint'),
    may('estimation', 'signal', 'ops', 'discretize', 'linalg', 'filters', 'layers', 'backends', 'stream'),
    may('stores'),
    may('mqtt'),
    may('keyed', 'stream', 'stores', 'signal'),
    may('durable', 'stream', 'signal', 'keyed', 'mqtt'),
    may('live', 'stream', 'signal', 'audio'),
    may('cluster', 'durable', 'keyed'),
    may('web', 'live', 'stream', 'signal', 'ops', 'layers'),
    may('layers', 'signal', 'ops', 'discretize', 'init', 'filters', 'math'),
    may('checkpoint', 'signal'),
    may('audio', 'math'),
    may('models', 'math', 'layers', 'signal', 'ops', 'discretize', 'init', 'filters', 'checkpoint', 'stream'),
    may(
      'conformance',
      'models',
      'layers',
      'signal',
      'ops',
      'discretize',
      'init',
      'filters',
      'checkpoint',
      'stream',
      'train',
      'backends',
      'math',
    ),
    {
      name: 'rxjs-in-operators-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: 'node_modules/rxjs' },
    },
    {
      name: 'native-only-when-used',
      comment:
        'a consumer who only streams loads nothing native: gpu.js, webgpu and node-web-audio-api are imported dynamically, each in one place',
      severity: 'error',
      from: { path: '^(src|operators)/', pathNot: '^src/(backends/gpu|live)/' },
      to: { path: 'node_modules/(gpu\\.js|webgpu|node-web-audio-api)' },
    },
    {
      name: 'operators-below-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^(operators|examples)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/backends/wasm/assembly' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
