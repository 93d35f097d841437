/**
 * A causal test where too little has an effect, or something fails midway: what is said, and that nothing
 * stays loaded.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import type { JudgeItem } from '../../../src/judges/judge.ts';
import type { Side } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { silent } from '../../../src/study/open/progress.ts';
import { type CausalTest, testCausally } from '../../../src/study/steering/causalTest.ts';
import { type ChoiceRequest, chooseLatents } from '../../../src/study/steering/chosenLatents.ts';
import type { SteeringWork } from '../../../src/study/steering/work.ts';
import { layer, putAll } from '../../support/tinyFolder.ts';
import {
  countedRuntime,
  countingGrader,
  held,
  latentsAs,
  madeWork,
  memoryJournal,
  openTiny,
  verdictOn,
} from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-faults-'));
let runtime: Runtime;
let opened: Awaited<ReturnType<typeof openTiny>>;
const controls = [2, 3, 11, 17, 33, 39, 4, 6];
beforeAll(async () => {
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(await putAll(folder));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const tested = (over: Partial<SteeringWork> = {}) =>
  testCausally(
    madeWork(runtime, opened, {
      candidates: latentsAs('candidate', [5], opened.dictionary),
      controls: asControls(controls),
      ...over,
    }),
  );
const asControls = (latents: readonly number[]) => latentsAs('random', latents, opened.dictionary);

/** Whatever is sampled is coherent, but not where this says so. */
const breaking = (broken: (item: JudgeItem) => boolean) =>
  countingGrader((item) => ({ ...verdictOn(item.completion), coherent: !broken(item) }));
/** What these latents are added to. */
const under = (latents: readonly number[]) => {
  const all = latents.map((latent) => `latent ${latent}`);
  return ({ id }: JudgeItem) => id.split('/')[1] === 'add' && all.includes(id.split('/')[2]!);
};

describe('the gray zone', () => {
  it('is made of half of the random latents, and of three at least', async () => {
    const effects = ({ outcomes }: CausalTest, side: Side) =>
      outcomes.filter(
        (one) =>
          one.operation === 'add' && one.side === side && one.direction.role === 'random' && one.measured,
      ).length;
    const half = await tested({ grade: breaking(under(controls.slice(4))).grade });
    expect([effects(half, 'away'), effects(half, 'toward')]).toEqual([4, 4]);
    const three = asControls(controls.slice(0, 3));
    const fewest = await tested({ controls: three, grade: breaking(() => false).grade });
    expect(effects(fewest, 'away')).toBe(3);
  });

  it('is not made of fewer than half', async () => {
    const attempt = tested({ grade: breaking(under(controls.slice(3))).grade });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(
      /^steering away: no gray zone: 3 of the 8 random latents \(steering\.random\) have an effect, expected at least 4: even the weakest dose, 0\.1 \(steering\.doses\), leaves more than 10 % of the completions incoherent for 5 of them$/,
    );
  });

  it('is not made of two, whatever is wrong with the others', async () => {
    const [first, second, ...others] = controls.slice(0, 4);
    const [refused, broken] = others;
    const { grade } = breaking(
      (item) => under([refused!])(item) || (under([broken!])(item) && !item.id.includes('/calibration/')),
    );
    await expect(
      tested({ controls: asControls([first!, second!, refused!, broken!]), grade }),
    ).rejects.toThrow(
      /^steering away: no gray zone: 2 of the 4 random latents \(steering\.random\) have an effect, expected at least 3: even the weakest dose, .* incoherent for 1 of them; all completions of the evaluation prompts are incoherent for 1 of them$/,
    );
  });

  it('is not made of removals that leave nothing coherent, which is told before anything is added', async () => {
    const { grade, asked } = breaking(({ id }) => id.startsWith('away/remove/'));
    await expect(tested({ grade })).rejects.toThrow(
      new InputError(
        'steering away: no gray zone: 0 of the 8 random latents (steering.random) have an effect, expected at least 4: all completions of the evaluation prompts are incoherent for 8 of them',
      ),
    );
    for (const id of asked.flat()) expect(id).toMatch(/^away\/(alone|remove\/latent \d+\/0)\//);
  });

  it('is not looked for where all that was left alone is incoherent', async () => {
    const { grade, asked } = breaking(({ id }) => /\/alone\/evaluation\//.test(id));
    await expect(tested({ grade })).rejects.toThrow(
      new InputError(
        'steering away: no gray zone: all 12 unsteered completions of the evaluation prompts are incoherent',
      ),
    );
    for (const id of asked.flat()) expect(id).toMatch(/^away\/alone\//);
  });
});

describe('what was loaded is released', () => {
  const failing = () => Promise.reject(new Error('it broke'));

  it.each<[string, Partial<SteeringWork>, string | undefined]>([
    ['at the end', {}, undefined],
    ['where a log-odds cannot be kept', { journal: { ...memoryJournal(), append: failing } }, 'it broke'],
    ['where the judge fails', { grade: failing }, 'it broke'],
    ['where it stops', { grade: async () => ({ stopped: 'no more' }) }, 'no more'],
    [
      'where a contrast is empty',
      { contrasts: [{ id: 'c', prompt: [], positives: [[1]], negatives: [[2]] }] },
      'tokens',
    ],
  ])('%s', async (_name, over, thrown) => {
    const counted = countedRuntime(runtime);
    const proving = tested({ runtime: counted.runtime, ...over });
    if (thrown === undefined) await proving;
    else await expect(proving).rejects.toThrow(thrown);
    expect(counted.counts.loads).toBeGreaterThan(0);
    expect(counted.counts.open).toBe(0);
  });

  const request = (over: Partial<ChoiceRequest>): ChoiceRequest => ({
    runtime,
    subject: opened.subject.model,
    reference: opened.reference.model,
    sae: opened.dictionary,
    layer,
    prompts: opened.prompts.evaluation.map(({ ids }) => ids),
    contrasts: opened.contrasts,
    attribution: {
      baseline: new Float32Array(opened.dictionary.width),
      gradient: held.baseline,
      m: Float32Array.from({ length: opened.dictionary.width ** 2 }, (_, i) => Math.sin(i)),
    },
    textOf: (ids) => opened.subject.codec.tokenizer.decode([...ids]),
    tokenSet: 'prompt',
    delta: new Float32Array(opened.dictionary.latents),
    selectors: ['delta-activation'],
    candidates: 2,
    random: 3,
    exactContrasts: 0,
    seed: 1,
    progress: silent,
    ...over,
  });

  it.each<[string, Partial<ChoiceRequest>, RegExp | undefined]>([
    ['after a choice', {}, undefined],
    ['where there are too few latents', { random: 60 }, /60/],
    ['where a prompt is empty', { prompts: [[]] }, /tokens/],
  ])('%s', async (_name, over, thrown) => {
    const counted = countedRuntime(runtime);
    const choosing = chooseLatents(request({ runtime: counted.runtime, ...over }));
    if (thrown) await expect(choosing).rejects.toThrow(thrown);
    else expect((await choosing).controls).toHaveLength(3);
    expect(counted.counts.loads).toBeGreaterThan(2);
    expect(counted.counts.open).toBe(0);
  });

  it('where a model cannot be loaded, whichever', async () => {
    const counting = countedRuntime(runtime);
    await chooseLatents(request({ runtime: counting.runtime }));
    for (let bad = 2; bad < counting.counts.loads; bad++) {
      const counted = countedRuntime(runtime, (loads) => {
        if (loads === bad) throw new Error(`load ${bad}`);
      });
      await expect(chooseLatents(request({ runtime: counted.runtime }))).rejects.toThrow(`load ${bad}`);
      // a pass of two graphs whose second fails leaves its first to the runtime's end
      expect(counted.counts.open).toBeLessThanOrEqual(1);
    }
  });
});
