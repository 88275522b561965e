import type { TopLevelSpec } from 'vega-lite';
import { BackendError } from '../errors.ts';
import type { EpochRecord, StepRecord } from './history.ts';

export interface CurveOptions {
  /** Above the picture. */
  readonly title?: string | undefined;
  /** What the losses are, on the axis; `loss`. */
  readonly loss?: string | undefined;
  /** Single steps, drawn thin behind the epochs' means; many are averaged in groups. */
  readonly steps?: readonly Pick<StepRecord, 'step' | 'loss'>[] | undefined;
}

/** More groups of steps than this the picture could not show apart. */
const MOST_GROUPS = 400;
/** Blue and vermilion of Okabe & Ito's palette, and a light blue for what lies behind: told apart by the colour-blind. */
const COLOURS = { steps: '#9ecbe8', training: '#0072b2', validation: '#d55e00' };

/**
 * The losses of a run as a picture: epochs from left to right, training and validation, the best validation marked.
 * Logarithmic where all losses are above 0 and span a factor of 10.
 *
 * @returns an SVG document.
 * @throws BackendError where the packages `vega` and `vega-lite` are not installed.
 * @example
 * writeFileSync('curve.svg', await lossCurve(result.history, { title: 'S4D, sequential MNIST' }));
 */
export async function lossCurve(
  history: readonly EpochRecord[],
  options: CurveOptions = {},
): Promise<string> {
  const { vega, vegaLite } = await packages();
  const spec = curveSpec(history, options);
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), {
    renderer: 'none',
    logLevel: vega.Error,
  });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

async function packages() {
  try {
    const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
    return { vega, vegaLite };
  } catch (cause) {
    throw new BackendError(
      'a loss curve needs the packages "vega" and "vega-lite": npm install vega vega-lite',
      {
        cause,
      },
    );
  }
}

interface Point {
  /** Epochs done. */
  readonly epoch: number;
  readonly loss: number;
  readonly line: keyof typeof COLOURS;
}

/** The picture as Vega-Lite describes it. */
export function curveSpec(history: readonly EpochRecord[], options: CurveOptions = {}): TopLevelSpec {
  const points = pointsOf(history, options.steps ?? []);
  const losses = points.map(({ loss }) => loss);
  const logarithmic = Math.min(...losses) > 0 && Math.max(...losses) >= 10 * Math.min(...losses);
  const lines = (Object.keys(COLOURS) as (keyof typeof COLOURS)[]).filter((line) =>
    points.some((point) => point.line === line),
  );
  const color = {
    field: 'line',
    type: 'nominal',
    scale: { domain: lines, range: lines.map((line) => COLOURS[line]) },
    legend: { title: null, orient: 'top-right' },
  } as const;
  const x = {
    field: 'epoch',
    type: 'quantitative',
    axis: { title: 'epoch', tickMinStep: 1, grid: false },
  } as const;
  const y = {
    field: 'loss',
    type: 'quantitative',
    // A nice logarithmic axis would end at powers of 10, mostly empty.
    scale: logarithmic
      ? ({ type: 'log', nice: false, padding: 8 } as const)
      : ({ type: 'linear', zero: false, nice: true } as const),
    axis: { title: options.loss ?? 'loss', format: logarithmic ? '.2~g' : '.3~g', tickCount: 6 },
  } as const;
  const validated = points.filter(({ line }) => line === 'validation');
  const best = validated.reduce<Point | undefined>((a, b) => (a && a.loss <= b.loss ? a : b), undefined);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: options.title ?? '',
      ...(best === undefined
        ? {}
        : { subtitle: `best validation ${best.loss.toPrecision(4)}, after epoch ${best.epoch}` }),
      anchor: 'start',
    },
    width: 640,
    height: 320,
    background: '#ffffff',
    padding: 14,
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: { gridColor: '#e4e7ea', labelColor: '#3c4248', titleColor: '#1f2328', domainColor: '#9aa1a9' },
    },
    data: { values: points },
    layer: [
      {
        transform: [{ filter: "datum.line == 'steps'" }],
        mark: { type: 'line', strokeWidth: 1 },
        encoding: { x, y, color },
      },
      {
        transform: [{ filter: "datum.line != 'steps'" }],
        mark: { type: 'line', strokeWidth: 2, point: history.length <= 60 },
        encoding: { x, y, color },
      },
      ...(best === undefined
        ? []
        : [
            {
              data: { values: [best] },
              mark: { type: 'point' as const, size: 160, color: COLOURS.validation, strokeWidth: 2 },
              encoding: { x, y },
            },
          ]),
    ],
  };
}

function pointsOf(history: readonly EpochRecord[], steps: NonNullable<CurveOptions['steps']>): Point[] {
  const perEpoch = history.length === 0 ? 1 : history[0]!.steps;
  const group = Math.max(1, Math.ceil(steps.length / MOST_GROUPS));
  const groups = Array.from({ length: Math.ceil(steps.length / group) }, (_, g) => {
    const members = steps.slice(g * group, (g + 1) * group);
    const mean = (of: (member: (typeof members)[number]) => number): number =>
      members.reduce((sum, member) => sum + of(member), 0) / members.length;
    return {
      epoch: (mean(({ step }) => step) + 0.5) / perEpoch,
      loss: mean(({ loss }) => loss),
      line: 'steps' as const,
    };
  });
  const epochs = history.flatMap(({ epoch, loss, validation }): Point[] => [
    // The mean over an epoch belongs to its middle.
    { epoch: epoch + 0.5, loss, line: 'training' },
    ...(validation === undefined
      ? []
      : [{ epoch: epoch + 1, loss: validation, line: 'validation' as const }]),
  ]);
  return [...groups, ...epochs];
}
