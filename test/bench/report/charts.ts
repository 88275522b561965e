import { Error as LogErrors, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { ChartData } from '../scaling/chart.ts';

const WIDTH = 560;
const HEIGHT = 300;
// Told apart also without colours: Okabe & Ito's palette, and a shape a line.
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond'];

/** A chart as SVG: both axes logarithmic, medians as points, quartiles as a band. */
export async function drawChart({ title, x, y, series }: ChartData): Promise<string> {
  const values = series.flatMap(({ label, points }) => points.map((point) => ({ ...point, line: label })));
  const domain = series.map(({ label }) => label);
  const colour = {
    field: 'line',
    type: 'nominal',
    scale: { domain, range: COLOURS },
    legend: { title: null },
  } as const;
  const horizontal = {
    field: 'x',
    type: 'quantitative',
    scale: { type: 'log', base: 2 },
    axis: { title: x, format: ',d', values: ticksOf(values.map((point) => point.x)) },
  } as const;
  const scale = { type: 'log', nice: true } as const;
  const vertical = { field: 'y', type: 'quantitative', scale, axis: { title: y, format: '~s' } } as const;
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, anchor: 'start' },
    width: WIDTH,
    height: HEIGHT,
    background: '#ffffff',
    padding: 12,
    data: { values },
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: { gridColor: '#e4e7ea', labelColor: '#3c4248', titleColor: '#1f2328', domainColor: '#9aa1a9' },
      legend: { orient: 'bottom', direction: 'vertical', labelLimit: 400, symbolOpacity: 1, symbolSize: 60 },
    },
    layer: [
      {
        mark: { type: 'area', opacity: 0.18 },
        encoding: {
          x: horizontal,
          y: { ...vertical, field: 'lower' },
          y2: { field: 'upper' },
          color: colour,
        },
      },
      { mark: { type: 'line', strokeWidth: 2 }, encoding: { x: horizontal, y: vertical, color: colour } },
      {
        mark: { type: 'point', filled: true, size: 45, opacity: 1 },
        encoding: {
          x: horizontal,
          y: vertical,
          color: colour,
          shape: {
            field: 'line',
            type: 'nominal',
            scale: { domain, range: SHAPES },
            legend: { title: null },
          },
        },
      },
    ],
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none', logLevel: LogErrors });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** All values of x, thinned to at most ten. */
function ticksOf(all: readonly number[]): number[] {
  const values = [...new Set(all)].sort((a, b) => a - b);
  const every = Math.ceil(values.length / 10);
  return values.filter((_, i) => i % every === 0);
}
