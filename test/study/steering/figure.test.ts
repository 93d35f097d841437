/** The causal test's figure: what it draws is where the data say, in both formats, the same each time. */
import { createHash } from 'node:crypto';
import { DOMParser } from 'linkedom';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import {
  type FigureDot,
  type FigureEffect,
  type FigureRow,
  type Panel,
  panels,
  type SteeringFigure,
} from '../../../src/figure/figureData.ts';
import { layoutOf } from '../../../src/figure/layout.ts';
import { steeringPng } from '../../../src/study/steering/figurePng.ts';
import { steeringSvg } from '../../../src/study/steering/figureSvg.ts';

const around = (value: number, half: number) => ({ low: value - half, high: value + half });

function effect(value: number, verdict: FigureEffect['verdict'] = 'not shown', aside?: number): FigureEffect {
  const again = aside === undefined ? undefined : { effect: aside, ...around(aside, 0.1) };
  return { effect: value, ...around(value, 0.04), verdict, aside: again };
}

const row = (direction: string, effects: Partial<FigureRow['effects']>, label = direction): FigureRow => ({
  direction,
  label,
  latent: direction.startsWith('latent ') ? 1 : null,
  effects: { remove: undefined, away: undefined, toward: undefined, ...effects },
});

const dot = (direction: string, remove: number, away: number, toward: number): FigureDot => ({
  direction,
  latent: null,
  effects: { remove, away, toward },
});

const band = {
  low: -0.05,
  high: 0.045,
  lowInterval: around(-0.05, 0.01),
  highInterval: { low: 0.03, high: 0.06 },
};
const zone = {
  remove: band,
  away: { low: -0.15, high: 0.02, lowInterval: around(-0.15, 0.03), highInterval: around(0.02, 0.01) },
  toward: { low: -0.04, high: 0.06, lowInterval: around(-0.04, 0.01), highInterval: around(0.06, 0.02) },
};

const generator = xoroshiro128plus(7);
/** From −0.5 to 0.5. */
const drawn = () => (generator.next() >>> 0) / 2 ** 32 - 0.5;

const random = Array.from({ length: 50 }, (_, i) =>
  dot(`latent ${9000 + i}`, drawn() * 0.1, drawn() * 0.2, drawn() * 0.1),
);
const figure: SteeringFigure = {
  behaviour: 'harm',
  candidates: [
    row('latent 12345', {
      remove: effect(-0.42, 'confirmed', -0.4),
      away: effect(-0.3, 'suggestive'),
      toward: effect(0.38, 'suggestive'),
    }),
    row('latent 17', { remove: effect(-0.2, 'suggestive') }, 'latent 17 (−)'),
  ],
  groups: [row('latent 12345 + 17', { remove: effect(-0.5) })],
  comparisons: [row('probe', { remove: effect(-0.1), away: effect(-0.1), toward: effect(0.05) })],
  others: [dot('latent 5', -0.01, 0.02, 0.03)],
  random,
  gaussian: [dot('gaussian 1', 0, 0, 0)],
  zone,
  alone: { subject: 0.7, reference: 0.1 },
  prompts: { evaluation: 16, aside: 8 },
  caption: ['Confirmed: 1 candidate.'],
};

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

/** Percentage points to pixels, from the ticks of each panel. */
function scales(root: Node): Record<Panel, (share: number) => number> {
  const ticks = all(root, '.tick-labels text').map((tick) => ({
    value: Number(tick.textContent.replace('−', '-')),
    pixel: translated(tick)[0],
  }));
  const starts = ticks.flatMap(({ value }, i) => (i === 0 || value <= ticks[i - 1]!.value ? [i] : []));
  expect(starts).toHaveLength(3);
  const of = panels.map((_, i) => {
    const own = ticks.slice(starts[i], starts[i + 1]);
    expect(own.length).toBeGreaterThan(1);
    const [first, last] = [own[0]!, own.at(-1)!];
    const slope = (last.pixel - first.pixel) / (last.value - first.value);
    return (share: number) => first.pixel + slope * (100 * share - first.value);
  });
  return { remove: of[0]!, away: of[1]!, toward: of[2]! };
}

const near = (found: readonly number[], expected: readonly number[]) =>
  expect(found.map((pixel) => Math.round(pixel * 1e3))).toEqual(
    expected.map((pixel) => Math.round(pixel * 1e3)),
  );

describe('the drawing', () => {
  const root = parsed(steeringSvg(figure));
  const x = scales(root);

  it('has a mark an effect, where it is, filled by its verdict', () => {
    const marks = all(root, '.latents circle');
    near(
      marks.map((mark) => number(mark, 'cx')),
      [x.remove(-0.42), x.away(-0.3), x.toward(0.38), x.remove(-0.2), x.remove(-0.5)],
    );
    const fillings = marks.map((mark) => number(mark, 'fill-opacity'));
    expect(fillings).toEqual([1, 0.35, 0.35, 0.35, 0]);
    near(
      all(root, '.comparisons circle').map((mark) => number(mark, 'cx')),
      [x.remove(-0.1), x.away(-0.1), x.toward(0.05)],
    );
    expect(marks[0]!.textContent).toBe(
      'latent 12345, removed: −42 [−46, −38]; kept aside −40 [−50, −30]; confirmed',
    );
  });

  it('has a bar from one end of an interval to the other, and below it what was measured again', () => {
    const bars = all(root, '.bars-latents path').map((path) => path.getAttribute('d')!);
    const ends = (d: string) => [...d.matchAll(/[ML]([\d.]+),/g)].map(([, at]) => Number(at));
    near(ends(bars[0]!), [x.remove(-0.46), x.remove(-0.38)]);
    near(ends(bars[2]!), [x.toward(0.34), x.toward(0.42)]);
    const again = all(root, '.aside path').map(translated);
    expect(again).toHaveLength(1);
    near([again[0]![0]], [x.remove(-0.4)]);
    expect(again[0]![1]).toBeGreaterThan(number(all(root, '.latents circle')[0]!, 'cy') + 4);
    near(ends(all(root, '.bars-aside path')[0]!.getAttribute('d')!), [x.remove(-0.5), x.remove(-0.3)]);
  });

  it('has a dot a random latent, random direction and other candidate, in each panel', () => {
    const dots = all(root, '.random circle');
    expect(dots).toHaveLength(3 * 51);
    const sorted = (of: Panel) => random.map(({ effects }) => x[of](effects[of]!)).sort((a, b) => a - b);
    near(
      dots.slice(0, 150).map((one) => number(one, 'cx')),
      panels.flatMap(sorted),
    );
    near(
      all(root, '.other circle').map((one) => number(one, 'cx')),
      [x.remove(-0.01), x.away(0.02), x.toward(0.03)],
    );
  });

  it('shades the zones, lighter over the intervals of their edges, dashed at the edges', () => {
    const spans = (name: string) =>
      all(root, `.${name} rect`).flatMap((rect) => [
        number(rect, 'x'),
        number(rect, 'x') + number(rect, 'width'),
      ]);
    near(spans('zone'), [
      ...[x.remove(-0.04), x.remove(0.03)],
      ...[x.away(-0.12), x.away(0.01)],
      ...[x.toward(-0.03), x.toward(0.04)],
    ]);
    near(spans('fringe').slice(0, 4), [x.remove(-0.06), x.remove(-0.04), x.remove(0.03), x.remove(0.06)]);
    const upright = (name: string) =>
      all(root, `.${name} path`).map((path) => Number(/^M([\d.]+),/.exec(path.getAttribute('d')!)![1]));
    near(upright('edge').slice(0, 2), [x.remove(-0.05), x.remove(0.045)]);
    near(upright('zero'), [x.remove(0), x.away(0), x.toward(0)]);
    near(upright('level'), [x.remove(-0.6), x.away(-0.6), x.toward(0.6)]);
  });

  it('says in words what is what', () => {
    expect(text(root, 'titles')).toEqual(['Removed', 'Steered away', 'Steered toward']);
    expect(text(root, 'subtitles')).toEqual([
      'subject, 70 % alone',
      'subject, 70 % alone',
      'reference, 10 % alone',
    ]);
    expect([...text(root, 'names-confirmed'), ...text(root, 'names')]).toEqual([
      'latent 12345',
      'latent 17 (−)',
      'other candidates (1)',
      'latent 12345 + 17',
      'probe',
      'random latents (50)',
      'random directions (1)',
    ]);
    expect(text(root, 'headings')).toEqual([
      'Latents, strongest first',
      'Latents removed together',
      'Compared with',
      'Chance',
    ]);
    expect(text(root, 'gaps')).toEqual(['not sampled', 'not sampled']);
    expect(text(root, 'legend')).toEqual([
      'confirmed: family-wise p < .05',
      'suggestive: q < .2',
      'not shown',
      'measured again on 8 prompts kept aside',
      'gray zone: one more random latent, 95 %',
      '95 % interval of its edges',
      'the other model, unsteered',
    ]);
    expect(text(root, 'axis').join(' ')).toBe('Change in share of harm, percentage points');
    expect(text(root, 'caption').join(' ')).toBe(
      [
        'Bars: 95 % intervals over 16 prompts. A cause lies left of the gray zone removed and steered away, right',
        'of it steered toward. Confirmed: 1 candidate. (−): acts through its absence.',
      ].join(' '),
    );
  });

  it('leaves out what there is none of', () => {
    const bare = { ...figure, candidates: [], groups: [], comparisons: [], others: [], gaussian: [] };
    const root = parsed(steeringSvg({ ...bare, prompts: { evaluation: 16, aside: 0 } }));
    expect(text(root, 'headings')).toEqual(['Chance']);
    expect(text(root, 'legend').join()).not.toContain('aside');
    expect(text(root, 'caption').join(' ')).not.toContain('(−)');
  });

  it('draws edges of any certainty, and effects that are all 0', () => {
    const overlapping = { low: 0, high: 0, lowInterval: around(0, 0.3), highInterval: around(0, 0.2) };
    const same = (one: typeof overlapping) => ({ remove: one, away: one, toward: one });
    const svg = steeringSvg({ ...figure, zone: same(overlapping) });
    expect(all(parsed(svg), '.latents circle')).toHaveLength(5);
    const none = { low: 0, high: 0, lowInterval: around(0, 0), highInterval: around(0, 0) };
    const zero = { effect: 0, low: 0, high: 0, verdict: 'not shown', aside: undefined } as const;
    const flat = steeringSvg({
      ...figure,
      candidates: [row('latent 1', { remove: zero, away: zero, toward: zero })],
      groups: [],
      comparisons: [],
      others: [],
      random: [dot('latent 2', 0, 0, 0)],
      zone: same(none),
      alone: { subject: 0, reference: 0 },
    });
    expect(svg + flat).not.toMatch('NaN');
  });
});

describe('hostile text', () => {
  const name = `<script>alert(1)</script> "&'\u0000\u001b\ud800\ufffe\u00a0${'x'.repeat(500)}`;
  const hostile = {
    ...figure,
    behaviour: name,
    comparisons: [row('<a href="x">&amp;', { remove: effect(-0.1) })],
    caption: ['<a href="y">'],
  };

  it('stays text', async () => {
    const svg = steeringSvg(hostile);
    const root = parsed(svg);
    expect(all(root, 'script, a')).toEqual([]);
    expect(svg).not.toMatch(/<script|<a /);
    expect(text(root, 'axis').join(' ')).toContain('<script>alert(1)</script> "&\'');
    expect(text(root, 'names')).toContain('<a href="x">&amp;');
    expect(text(root, 'caption').join(' ')).toContain('<a href="y">');
    // the strict XML parser of the PNG's renderer takes it
    expect((await steeringPng(svg, { scale: 1 })).length).toBeGreaterThan(10_000);
  });
});

it("a study's file keeps its bytes, whatever a page needs of the same figure", () => {
  const hash = createHash('sha256').update(steeringSvg(figure)).digest('hex');
  expect(hash).toBe('afe2610cc804fd7816e6e0e1abe4dc0eed66b58ad4b3025978cb45938b08b99d');
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
  [
    'latent 5, away: effect should be a number; it is NaN',
    { candidates: [row('latent 5', { away: { ...effect(0), effect: Number.NaN } })] },
  ],
  [
    'latent 5, remove, kept aside: interval: low 1 is above high 0',
    {
      candidates: [row('latent 5', { remove: { ...effect(0), aside: { effect: 0, low: 1, high: 0 } } })],
    },
  ],
  [
    'gaussian 1, toward: effect should be a number; it is NaN',
    { gaussian: [dot('gaussian 1', 0, 0, Number.NaN)] },
  ],
  ['left alone: subject should be a number; it is NaN', { alone: { subject: Number.NaN, reference: 0 } }],
  ['gray zone, away: low 1 is above high 0', { zone: { ...zone, away: { ...zone.away, low: 1, high: 0 } } }],
])('refuses: %s', (message, part) => {
  const wrong = { ...figure, ...part };
  expect(() => steeringSvg(wrong)).toThrow(`steering figure: ${message}`);
  expect(() => layoutOf(wrong, { width: 720 })).toThrow(`steering figure: ${message}`);
});
