export type { Case, Extra, Family, Run, Settings, Subject, Way } from './case.ts';
export { backendByName, backendNames } from './backend.ts';
export { conformanceCommand } from './command.ts';
export { formatLine, formatTotals, type Line, type Report, type Verdict } from './report.ts';
export { runConformance, type ConformanceOptions } from './runner.ts';
