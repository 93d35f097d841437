/**
 * Training from readings that are made up: two directions that tell behaviour and garble, and a model file
 * that comes back as it was.
 */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { writeSafetensors } from '../../../src/files/safetensors.ts';
import { probability } from '../../../src/methods/judging/probe.ts';
import { coherenceFeatures } from '../../../src/methods/judging/reading.ts';
import { isCoherent, type TextKind } from '../../../src/study/judging/classifierExamples.ts';
import { readClassifier, writeClassifier } from '../../../src/study/judging/classifierModel.ts';
import { type ReadText, trainClassifier } from '../../../src/study/judging/classifierTraining.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { draw } from '../../support/opCases.ts';

const path = temporaryFolder();
const d = draw(5);
const options = { key: 'k', site: 2, seed: 1 };

/**
 * The first number tells the behaviour, the log-probability whether the text is broken; four more tell
 * nothing.
 */
function text(kind: TextKind, group: number): ReadText {
  const behaviour = kind === 'positive' ? 2 : -2;
  return {
    kind,
    group: `${group}`,
    heldOut: group % 4 === 0,
    reading: {
      mean: Float32Array.from([behaviour, 0, 0, 0, 0], (mean) => mean + d.normal()),
      logProbability: (isCoherent(kind) ? -2 : -7) + d.normal(),
    },
  };
}

const kinds: TextKind[] = ['positive', 'negative', 'shuffled', 'steered', 'cut short'];
const texts = Array.from({ length: 100 }, (_, group) => kinds.map((kind) => text(kind, group))).flat();

describe('trainClassifier', () => {
  const { behaviour, coherence, report } = trainClassifier(texts, options);

  it('tells the behaviour by answers alone, broken text by all', () => {
    expect(report).toMatchObject({ key: 'k', site: 2, prompts: { trained: 75, heldOut: 25 } });
    expect(report.behaviour).toMatchObject({ examples: 50, positives: 25 });
    expect(report.behaviour.accuracy).toBeGreaterThan(0.9);
    expect(report.behaviour.within).toMatchObject({ groups: 25 });
    expect(report.coherence).toMatchObject({ examples: 125, positives: 75 });
    expect(report.coherence.accuracy).toBeGreaterThan(0.9);
    const garbled = { mean: Float32Array.of(2, 0, 0, 0, 0), logProbability: -8 };
    expect(probability(behaviour, garbled.mean)).toBeGreaterThan(0.8);
    expect(probability(coherence, coherenceFeatures(garbled))).toBeLessThan(0.1);
    expect(report.fit.coherence).toEqual({ C: coherence.C, temperature: coherence.temperature });
  });

  it('reports each kind of text that there is', () => {
    expect(report.kinds.map(({ kind }) => kind)).toEqual([
      'positive',
      'negative',
      'cut short',
      'shuffled',
      'steered',
    ]);
    for (const { kind, coherent, trained, tested, accuracy } of report.kinds) {
      expect(coherent).toBe(isCoherent(kind as TextKind));
      expect([trained, tested]).toEqual([75, 25]);
      expect(accuracy).toBeGreaterThan(0.8);
    }
    const right = report.kinds.reduce((sum, { tested, accuracy }) => sum + tested * accuracy, 0);
    expect(right / 125).toBeCloseTo(report.coherence.accuracy, 12);
  });

  it('learns nothing from what is held out', () => {
    const turned = texts.map((one) =>
      one.heldOut ? { ...one, reading: { mean: one.reading.mean.map((x) => -x), logProbability: 0 } } : one,
    );
    const other = trainClassifier(turned, options);
    expect(other.behaviour).toEqual(behaviour);
    expect(other.coherence).toEqual(coherence);
    expect(other.report.behaviour.accuracy).toBeLessThan(0.2);
  });

  it.each([
    ['positive', /^judge: expected 5 or more positive examples to train on, found 0$/],
    ['negative', /^judge: expected 5 or more negative examples to train on, found 0$/],
  ] as const)('refuses to train without %s examples', (missing, message) => {
    expect(() =>
      trainClassifier(
        texts.filter(({ kind }) => kind !== missing),
        options,
      ),
    ).toThrow(message);
  });

  it('refuses to train without broken texts', () => {
    const intact = texts.filter(({ kind }) => isCoherent(kind));
    expect(() => trainClassifier(intact, options)).toThrow(/^judge: expected 5 or more broken texts/);
  });
});

describe('the file', () => {
  it('brings the model back, what is undefined too', async () => {
    const oneSided = texts.filter(({ heldOut, kind }) => !(heldOut && kind === 'negative'));
    const model = trainClassifier(oneSided, options);
    expect(model.report.behaviour.auc).toBeNaN();
    await writeClassifier(path('judge.safetensors'), model);
    expect(await readClassifier(path('judge.safetensors'), 'k')).toEqual(model);
  });

  it('of another key, or none, is not taken', async () => {
    expect(await readClassifier(path('none.safetensors'), 'k')).toBeUndefined();
    await writeClassifier(path('judge.safetensors'), trainClassifier(texts, options));
    expect(await readClassifier(path('judge.safetensors'), 'other')).toBeUndefined();
    await writeSafetensors(path('plain.safetensors'), {});
    expect(await readClassifier(path('plain.safetensors'), 'k')).toBeUndefined();
  });

  it('that lacks a part is refused by name', async () => {
    const { report } = trainClassifier(texts, options);
    await writeSafetensors(path('bare.safetensors'), {}, { classifier: JSON.stringify(report) });
    await expect(readClassifier(path('bare.safetensors'), 'k')).rejects.toThrow(InputError);
    await expect(readClassifier(path('bare.safetensors'), 'k')).rejects.toThrow(
      'tensor behaviour.weights is missing',
    );
  });
});
