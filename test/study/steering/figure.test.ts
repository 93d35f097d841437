/** The steering figure: what it draws is where the data say, in both formats, the same each time. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { DOMParser } from 'linkedom';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import type { FigurePoint, SteeringFigure } from '../../../src/figure/figureData.ts';
import { type Box, placeLabels } from '../../../src/figure/labels.ts';
import { steeringPng } from '../../../src/study/steering/figurePng.ts';
import { steeringSvg } from '../../../src/study/steering/figureSvg.ts';

const around = (value: number, half: number) => ({ low: value - half, high: value + half });

function point(latent: number, away: number, toward: number, selectors: readonly string[] = []): FigurePoint {
  const intervals = { awayInterval: around(away, 0.04), towardInterval: around(toward, 0.05) };
  return { latent, away, toward, ...intervals, selectors };
}

const zone = {
  away: {
    low: -0.05,
    high: 0.045,
    lowInterval: around(-0.05, 0.01),
    highInterval: { low: 0.03, high: 0.06 },
  },
  toward: { low: -0.04, high: 0.06, lowInterval: around(-0.04, 0.01), highInterval: around(0.06, 0.02) },
};

const generator = xoroshiro128plus(7);
/** From −0.5 to 0.5. */
const drawn = () => (generator.next() >>> 0) / 2 ** 32 - 0.5;

const delta = ['delta-attribution'];
const both = ['delta-attribution', 'model-difference'];
const strong = [
  point(12345, -0.42, 0.38, delta),
  point(17, -0.38, 0.31, both),
  point(3194, -0.25, 0.22, delta),
];
const weak = Array.from({ length: 40 }, (_, i) =>
  point(100 + i, drawn() * 0.08, drawn() * 0.07, i < 20 ? delta : ['model-difference']),
);
const random = Array.from({ length: 50 }, (_, i) => point(9000 + i, drawn() * 0.1, drawn() * 0.1));
const figure: SteeringFigure = { behaviour: 'harm', points: [...strong, ...weak], random, zone };

interface Node {
  readonly textContent: string;
  getAttribute(name: string): string | null;
  querySelector(selector: string): Node | null;
  querySelectorAll(selector: string): Iterable<Node>;
}

function parsed(svg: string): Node {
  return new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement as unknown as Node;
}

const all = (root: Node, selector: string) => [...root.querySelectorAll(selector)];
const text = (root: Node, name: string) => all(root, `.${name} text`).map(({ textContent }) => textContent);
const number = (node: Node, name: string) => Number(node.getAttribute(name));

function translated(node: Node): [number, number] {
  const [x, y] = node.getAttribute('transform')!.match(/-?[\d.]+/g)!;
  return [Number(x), Number(y)];
}

/** Percentage points to pixels, from the axis' own ticks. */
function scaleOf(root: Node, axis: 'x' | 'y'): (share: number) => number {
  const ticks = all(root, `[aria-label="${axis}-axis tick label"] text`).map((tick) => ({
    value: Number(tick.textContent.replace('−', '-')),
    pixel: translated(tick)[axis === 'x' ? 0 : 1],
  }));
  expect(ticks.length).toBeGreaterThan(4);
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  const slope = (last.pixel - first.pixel) / (last.value - first.value);
  return (share) => first.pixel + slope * (100 * share - first.value);
}

describe('the drawing', () => {
  const root = parsed(steeringSvg(figure));
  const [x, y] = [scaleOf(root, 'x'), scaleOf(root, 'y')];

  it('has a dot a latent, at its effects', () => {
    const circles = all(root, '.latents circle');
    const diamonds = all(root, '.several path');
    expect(circles.length + diamonds.length).toBe(43);
    expect(all(root, '.random circle')).toHaveLength(50);
    for (const [i, circle] of all(root, '.random circle').entries()) {
      expect(number(circle, 'cx')).toBeCloseTo(x(random[i]!.away), 6);
      expect(number(circle, 'cy')).toBeCloseTo(y(random[i]!.toward), 6);
    }
    const best = circles.find((circle) => circle.textContent.startsWith('latent 12345 '))!;
    expect(number(best, 'cx')).toBeCloseTo(x(-0.42), 6);
    expect(number(best, 'cy')).toBeCloseTo(y(0.38), 6);
    expect(translated(diamonds[0]!)[0]).toBeCloseTo(x(-0.38), 6);
    expect(translated(diamonds[0]!)[1]).toBeCloseTo(y(0.31), 6);
    expect(best.textContent).toBe(
      'latent 12345 (delta-attribution): away −42 [−46, −38], toward +38 [+33, +43]',
    );
  });

  it('shades the zone, lighter over the intervals of its edges, dashed at the edges', () => {
    const spans = (name: string, at: string, size: string) =>
      all(root, `.${name} rect, rect.${name}`).map((rect) => [
        number(rect, at),
        number(rect, at) + number(rect, size),
      ]);
    const near = (found: number[][], expected: number[][]) =>
      expect(found.flat().map((pixel) => Math.round(pixel * 1e3))).toEqual(
        expected.flat().map((pixel) => Math.round(pixel * 1e3)),
      );
    near(spans('zone-away', 'x', 'width'), [[x(-0.04), x(0.03)]]);
    near(spans('fringe-away', 'x', 'width'), [
      [x(-0.06), x(-0.04)],
      [x(0.03), x(0.06)],
    ]);
    near(spans('zone-toward', 'y', 'height'), [[y(0.04), y(-0.03)]]);
    near(spans('fringe-toward', 'y', 'height'), [
      [y(-0.03), y(-0.05)],
      [y(0.08), y(0.04)],
    ]);
    near([all(root, '.edge-away line').map((line) => number(line, 'x1'))], [[x(-0.05), x(0.045)]]);
    near([all(root, '.edge-toward line').map((line) => number(line, 'y1'))], [[y(-0.04), y(0.06)]]);
  });

  it('numbers the farthest latents, with bars at them alone', () => {
    expect(text(root, 'labels')).toEqual(['12345', '17', '3194']);
    const bars = all(root, '.bars-away line').map((bar) => [number(bar, 'x1'), number(bar, 'x2')]);
    expect(bars).toHaveLength(3);
    expect(bars[0]![0]).toBeCloseTo(x(-0.46), 6);
    expect(bars[0]![1]).toBeCloseTo(x(-0.38), 6);
    expect(text(parsed(steeringSvg({ ...figure, labelled: 1 })), 'labels')).toEqual(['12345']);
    expect(text(parsed(steeringSvg({ ...figure, labelled: 0 })), 'labels')).toEqual([]);
  });

  it('says in words what is what, and how many', () => {
    expect(text(root, 'legend')).toEqual([
      'delta-attribution only (22)',
      'model-difference only (20)',
      'several (1)',
      'matched random (50)',
      'gray zone: central 95 % of matched random',
      '95 % interval of its edges',
    ]);
    expect(text(root, 'title-x').join(' ')).toBe(
      'Change in share of harm when steered away, percentage points (subject)',
    );
    expect(text(root, 'title-y').join(' ')).toBe(
      'Change in share of harm when steered toward, percentage points (reference)',
    );
    expect(text(root, 'caption').join(' ')).toBe(
      '3 of 23 delta-attribution latents leave the gray zone in both directions; 1 of 21 model-difference latents; ' +
        '0 of 50 matched random latents. Numbered: those farthest outside, with 95 % intervals.',
    );
    const single = parsed(steeringSvg({ ...figure, points: weak.slice(0, 5) }));
    expect(text(single, 'legend')[0]).toBe('delta-attribution (5)');
    expect(text(single, 'caption').join(' ')).toMatch(/0 of 50 matched random latents\.$/);
  });

  it('names and colours selectors in the order of the causal test, also where one has no points', () => {
    const proposed = { 'gradient-cosine': 100, 'model-difference': 100, 'delta-attribution': 100 };
    const svg = steeringSvg({ ...figure, proposed });
    expect(text(parsed(svg), 'legend').slice(0, 2)).toEqual([
      'model-difference only (20)',
      'delta-attribution only (22)',
    ]);
    const [blue, orange, green] = ['#0072b2', '#d55e00', '#009e73'];
    for (const colour of [orange, green]) expect(svg).toContain(colour);
    expect(svg).not.toContain(blue);
  });

  it('draws edges of any certainty, and effects that are all 0', () => {
    const overlapping = { low: 0, high: 0, lowInterval: around(0, 0.3), highInterval: around(0, 0.2) };
    const flat = {
      ...figure,
      points: [point(1, 0, 0, delta)],
      zone: { away: overlapping, toward: overlapping },
    };
    expect(all(parsed(steeringSvg(flat)), '.latents circle')).toHaveLength(1);
    const none = { low: 0, high: 0, lowInterval: around(0, 0), highInterval: around(0, 0) };
    const zero = steeringSvg({ ...flat, random: [point(2, 0, 0)], zone: { away: none, toward: none } });
    expect(zero).not.toMatch('NaN');
  });
});

describe('hostile text', () => {
  const name = `<script>alert(1)</script> "&'\u0000\u001b\ud800\ufffe\u00a0${'x'.repeat(500)}`;
  const hostile = { ...figure, behaviour: name, points: [point(1, -0.1, 0.2, ['<a href="x">&amp;'])] };

  it('stays text', async () => {
    const svg = steeringSvg(hostile);
    const root = parsed(svg);
    expect(all(root, 'script, a')).toEqual([]);
    expect(svg).not.toMatch(/<script|<a /);
    expect(text(root, 'title-x').join(' ')).toContain('<script>alert(1)</script> "&\'');
    expect(text(root, 'legend')[0]).toBe('<a href="x">&amp; (1)');
    // the strict XML parser of the PNG's renderer takes it
    expect((await steeringPng(svg, { scale: 1 })).length).toBeGreaterThan(10_000);
  });
});

describe('labels', () => {
  const frame: Box = { left: 0, top: 0, right: 500, bottom: 400 };
  const apart = (a: Box, b: Box) =>
    a.left >= b.right || b.left >= a.right || a.top >= b.bottom || b.top >= a.bottom;

  it('lie inside the frame and never on one another, however close the points', () => {
    const target = fc.record({
      x: fc.integer({ min: 0, max: 60 }),
      y: fc.integer({ min: 0, max: 60 }),
      text: fc.constant('1234'),
      width: fc.constant(26),
      height: fc.constant(11),
    });
    fc.assert(
      fc.property(fc.array(target, { minLength: 1, maxLength: 12 }), (targets) => {
        const boxes = placeLabels(targets, [], frame).map(({ box }) => box);
        expect(boxes.length).toBeGreaterThan(0);
        for (const box of boxes) {
          expect(Math.min(box.left, box.top, 500 - box.right, 400 - box.bottom)).toBeGreaterThanOrEqual(0);
          for (const other of boxes) expect(box === other || apart(box, other)).toBe(true);
        }
      }),
    );
  });

  it('keep off other dots where there is room', () => {
    const target = { x: 100, y: 100, text: '1', width: 10, height: 10 };
    const upperLeft = { left: 80, top: 80, right: 97, bottom: 97, cost: 10 };
    expect(placeLabels([target], [], frame)[0]!.box.right).toBe(97);
    expect(placeLabels([target], [upperLeft], frame)[0]!.box.left).toBe(103);
  });
});

it("a study's file keeps its bytes, whatever a page needs of the same figure", () => {
  const hash = createHash('sha256').update(steeringSvg(figure)).digest('hex');
  expect(hash).toBe('f19ec8295dde678285e42ed74c1586e7ad7a44bba25401ba03d897f2e3a623b2');
});

describe('the PNG', () => {
  const svg = steeringSvg(figure);

  it('is of the asked size, with text in it, the same each time', async () => {
    expect(steeringSvg(figure)).toBe(svg);
    const png = Buffer.from(await steeringPng(svg));
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    expect(png.readUInt32BE(16)).toBe(1440);
    expect(png.readUInt32BE(20)).toBe(2 * number(parsed(svg), 'height'));
    expect(Buffer.compare(png, Buffer.from(await steeringPng(svg)))).toBe(0);
    const wordless = await steeringPng(svg.replace(/<text[^>]*>[^<]*<\/text>/g, ''));
    expect(png.length).toBeGreaterThan(wordless.length + 10_000);
    const single = Buffer.from(await steeringPng(svg, { scale: 1 }));
    expect(single.readUInt32BE(16)).toBe(720);
  });

  it('refuses a scale that makes no picture', async () => {
    for (const scale of [0, -1, Number.NaN, 17]) {
      await expect(steeringPng(svg, { scale })).rejects.toThrow(/scale should be above 0, at most 16/);
    }
  });
});

it.each<[string, Partial<SteeringFigure>]>([
  ['expected at least one random latent; got none', { random: [] }],
  ['latent 5: no selector proposed it', { points: [point(5, 0, 0)] }],
  ['latent 5: away should be a number; it is NaN', { points: [point(5, Number.NaN, 0, delta)] }],
  ['gray zone, away: low 1 is above high 0', { zone: { ...zone, away: { ...zone.away, low: 1, high: 0 } } }],
  ['labelled should be a whole number, 0 or more; it is -1', { labelled: -1 }],
])('refuses: %s', (message, part) => {
  expect(() => steeringSvg({ ...figure, ...part })).toThrow(`steering figure: ${message}`);
});
