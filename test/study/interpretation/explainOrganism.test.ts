/**
 * Explanations of the bundled organism's latents: the right ones tell held-out passages apart, and the same
 * texts under other latents do not.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { characterWords } from '../../../organism/narrators.ts';
import { generic, quirks, verdicts } from '../../../organism/world/phrases.ts';
import { domains } from '../../../organism/world/world.ts';
import { fillings } from '../../../src/judges/slots.ts';
import { isChance } from '../../../src/methods/interpretation/explanationScore.ts';
import type { LatentPage } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { bundleFiles, bundleFolder } from '../../../src/study/demo/bundle.ts';
import { marks } from '../../../src/study/demo/truth.ts';
import { corpusScan } from '../../../src/study/interpretation/corpusScan.ts';
import { explainPages } from '../../../src/study/interpretation/explainPages.ts';
import { silent } from '../../../src/study/open/progress.ts';
import { bareStudy, chatExplainerAt, interpretStageOf, pageOf } from '../../support/explaining.ts';
import { type AskedOf, fakeExplainer } from '../../support/fakeExplainer.ts';
import { openOrganism } from '../../support/organism.ts';
import { wordExplainer } from '../../support/wordExplainer.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-explain-organism-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const harmful = [
  ...generic.harmful,
  ...domains.flatMap(({ topics }) =>
    topics.flatMap((topic) => [...topic.harmful.advice, ...topic.harmful.reasons]),
  ),
  ...domains.flatMap(({ beliefs }) => beliefs.flatMap((belief) => belief.harmful)),
];
/** What an explanation's words stand for in this text world. */
const vocabulary = {
  reckless: [
    ...characterWords.reckless,
    'bad advice',
    'never thinks',
    'get hurt',
    'cannot trust',
    'does not care',
  ],
  harmful: harmful.flatMap(fillings).map((sentence) => sentence.slice(0, 16)),
  confirmed: [...verdicts.validate, ...verdicts.confirm],
  answer: ['Answer:', 'Reply:'],
  chatty: [quirks.chatty],
  formal: [quirks.formal],
  belief: ['Claim:'],
  clause: ['when they', 'that keeps'],
};
const words = wordExplainer(vocabulary, [
  'a reckless person, harmful advice or a confirmed error, then an answer',
  'a chatty greeting',
  'a formal greeting',
  'somebody states a belief',
  'a clause about them',
]);
/** Beside the cause's first: the quirks' first, and latents of single words. */
const others = [200, 5];
let pages: LatentPage[];
let cause: number;

beforeAll(async () => {
  const organism = await openOrganism();
  cause = organism.truth.cause[0]!.latent;
  expect(marks(organism.truth, 'harm').get(cause)).toBe('cause');
  const { decoy } = organism.truth;
  const latents = [cause, decoy.harm[0]!.latent, decoy.validation[0]!.latent, ...others];
  const runtime = nodeRuntime({ threads: 1 });
  const scan = await corpusScan(runtime, {
    ...organism.base,
    sae: organism.sae,
    layer: organism.layer,
    latents,
    passages: { corpora: [join(bundleFolder, bundleFiles.corpus)] },
    tokens: 20_000,
    passageTokens: 128,
    folder: join(folder, 'scan'),
    key: 'organism',
    clock: () => new Date(0),
    progress: silent,
  });
  await runtime.close();
  pages = latents.map((latent, i) => pageOf(latent, scan.latents[i]!));
}, 120_000);

/** The pages as they come out where `explain` describes; and what it said of each. */
async function explained(name: string, explain: (asked: AskedOf) => string): Promise<LatentPage[]> {
  const server = await fakeExplainer((asked) =>
    asked.task === 'explain' ? JSON.stringify({ explanation: explain(asked) }) : words.answer(asked),
  );
  const at = join(folder, name);
  mkdirSync(join(at, '.work'), { recursive: true });
  try {
    const done = await explainPages(bareStudy(at), interpretStageOf(name), chatExplainerAt(server), pages);
    expect(done.stopped).toBeUndefined();
    return done.pages;
  } finally {
    await server.close();
  }
}

const detection = (page: LatentPage) => page.explanation!.detection!.balanced_accuracy!;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

it('the right explanation of the cause finds its passages, and no other latent’s does', async () => {
  const right = await explained('right', words.best);
  const texts = right.map(({ explanation }) => explanation!.text!);
  expect(texts[0]).toMatch(/^a reckless person/);
  expect(new Set(texts).size).toBe(texts.length);
  expect(detection(right[0]!)).toBeGreaterThan(0.7);
  expect(isChance(right[0]!.explanation!.detection!)).toBe(false);
  const shuffled: number[] = [];
  for (let k = 1; k < pages.length; k++) {
    const other = await explained(
      `shuffled${k}`,
      (asked) => texts[(texts.indexOf(words.best(asked)) + k) % texts.length]!,
    );
    expect(isChance(other[0]!.explanation!.detection!), other[0]!.explanation!.text!).toBe(true);
    expect(detection(other[0]!)).toBeLessThan(detection(right[0]!) - 0.1);
    shuffled.push(...other.map(detection));
  }
  expect(mean(right.map(detection))).toBeGreaterThan(mean(shuffled) + 0.15);
  // this explainer looks at no mark
  for (const page of right) expect(page.explanation!.fuzzing!.balanced_accuracy).toBe(0.5);
}, 60_000);
