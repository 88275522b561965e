export { StreamBank, type BankDiagnostic, type BankOptions } from './bank.ts';
export { compile, compileBank, type CompileBankOptions, type CompileOptions } from './compile.ts';
export { realtime, type EdgeStream, type RealtimeStream } from './realtime.ts';
export { Stream, type Block, type RestoreOptions, type StreamOptions } from './stream.ts';
export type { ControlState, SetOptions, SetResult } from './set.ts';
export type { Diagnostic, NonFinitePolicy } from './non-finite.ts';
export type { Parameters } from './constants.ts';
export { openSnapshot, snapshotNumbers, type OpenSnapshot, type SnapshotHeader } from './snapshot.ts';
