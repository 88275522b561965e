import type { Chart } from './chart.ts';
import { lengthCharts } from './length.ts';
import { sizeCharts } from './sizes.ts';
import { streamCharts } from './streams.ts';

/** All charts, in the order of the page. */
export const charts: readonly Chart[] = [...sizeCharts, ...streamCharts, ...lengthCharts];
