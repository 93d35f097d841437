/** Loss curves of the organism's trainings as pictures. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** The mean of each `width` values in a row, at the step in their middle. */
function smoothed(losses: readonly number[], width: number) {
  return Array.from({ length: Math.floor(losses.length / width) }, (_, i) => {
    const part = losses.slice(i * width, (i + 1) * width);
    return { step: (i + 0.5) * width, loss: part.reduce((sum, x) => sum + x, 0) / width };
  });
}

/** An SVG of one training's loss by step: every step faint, the mean of a hundredth of them strong. */
function lossCurve(label: string, unit: string, losses: readonly number[]): string {
  const { document } = parseHTML('<!doctype html><body></body>');
  const steps = losses.map((loss, i) => ({ step: i + 1, loss }));
  const figure = Plot.plot({
    document: document as never,
    width: 640,
    height: 280,
    marginLeft: 56,
    x: { label: 'step' },
    y: { label: `${label}: ${unit}`, grid: true, type: 'log', tickFormat: '~g' },
    marks: [
      Plot.line(steps, { x: 'step', y: 'loss', stroke: '#9ecae1', strokeWidth: 1 }),
      Plot.line(smoothed(losses, Math.max(1, Math.round(losses.length / 100))), {
        x: 'step',
        y: 'loss',
        stroke: '#08519c',
        strokeWidth: 1.5,
      }),
    ],
  });
  figure.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  figure.setAttribute('style', 'background: white');
  return `${figure.outerHTML}\n`;
}

/** Writes `loss-NAME.svg` for each training into a folder. */
export async function drawLosses(
  folder: string,
  losses: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [label, values] of Object.entries(losses)) {
    const unit = label === 'Dictionary' ? 'error over variance, with the auxiliary loss' : 'nats a token';
    const name = label.toLowerCase().replaceAll(' ', '-');
    await writeFile(join(folder, `loss-${name}.svg`), lossCurve(label, unit, values));
  }
}
