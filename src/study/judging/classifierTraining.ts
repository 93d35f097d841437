/**
 * Two probes from readings of texts: which answers show the behaviour, which texts are broken; and how well
 * they tell it of prompts held out.
 */
import { InputError } from '../../errors.ts';
import {
  type Probe,
  type ProbeExample,
  probability,
  testProbe,
  trainProbe,
} from '../../methods/judging/probe.ts';
import { coherenceFeatures, type Reading } from '../../methods/judging/reading.ts';
import { brokenKinds, coherentKinds, isCoherent, type TextKind } from './classifierExamples.ts';
import type { ClassifierModel, ClassifierReport } from './classifierModel.ts';

/** A text as the reference model reads it. */
export interface ReadText {
  readonly kind: TextKind;
  /** of its prompt */
  readonly group: string;
  readonly heldOut: boolean;
  readonly reading: Reading;
}

export interface TrainingOptions {
  readonly key: string;
  readonly site: number;
  readonly seed: number;
}

/** Fewest examples of each label to train on. */
const fewest = 5;

function checkEnough(examples: readonly ProbeExample[], what: (label: boolean) => string): void {
  for (const label of [true, false]) {
    const found = examples.filter((example) => example.label === label).length;
    if (found < fewest)
      throw new InputError(`judge: expected ${fewest} or more ${what(label)} to train on, found ${found}`);
  }
}

const behaviourExample = ({ kind, group, reading }: ReadText): ProbeExample => ({
  features: reading.mean,
  label: kind === 'positive',
  group,
});

const coherenceExample = ({ kind, group, reading }: ReadText): ProbeExample => ({
  features: coherenceFeatures(reading),
  label: isCoherent(kind),
  group,
});

const isAnswer = ({ kind }: ReadText) => kind === 'positive' || kind === 'negative';

/** How the coherence probe does on each kind of text. */
function kindReports(
  probe: Probe,
  trained: readonly ReadText[],
  tested: readonly ReadText[],
): ClassifierReport['kinds'] {
  return [...coherentKinds, ...brokenKinds].flatMap((kind) => {
    const of = (texts: readonly ReadText[]) => texts.filter((text) => text.kind === kind);
    const coherent = isCoherent(kind);
    const own = of(tested);
    const right = own.filter(
      ({ reading }) => probability(probe, coherenceFeatures(reading)) >= 0.5 === coherent,
    );
    const report = {
      kind,
      coherent,
      trained: of(trained).length,
      tested: own.length,
      accuracy: right.length / own.length,
    };
    return report.trained + report.tested === 0 ? [] : [report];
  });
}

const fitOf = ({ C, temperature }: Probe) => ({ C, temperature });

/**
 * Trains on the texts that are not held out, tests on those that are. Throws InputError where there are too
 * few of a kind.
 */
export function trainClassifier(
  texts: readonly ReadText[],
  { key, site, seed }: TrainingOptions,
): ClassifierModel {
  const [trained, tested] = [false, true].map((side) => texts.filter(({ heldOut }) => heldOut === side)) as [
    ReadText[],
    ReadText[],
  ];
  const behaviourExamples = trained.filter(isAnswer).map(behaviourExample);
  checkEnough(behaviourExamples, (label) => `${label ? 'positive' : 'negative'} examples`);
  const coherenceExamples = trained.map(coherenceExample);
  checkEnough(coherenceExamples, (label) => `${label ? 'coherent' : 'broken'} texts`);
  const behaviour = trainProbe(behaviourExamples, { seed });
  const coherence = trainProbe(coherenceExamples, { seed });
  const prompts = (of: readonly ReadText[]) => new Set(of.map(({ group }) => group)).size;
  return {
    behaviour,
    coherence,
    report: {
      key,
      site,
      prompts: { trained: prompts(trained), heldOut: prompts(tested) },
      fit: { behaviour: fitOf(behaviour), coherence: fitOf(coherence) },
      behaviour: testProbe(behaviour, tested.filter(isAnswer).map(behaviourExample)),
      coherence: testProbe(coherence, tested.map(coherenceExample)),
      kinds: kindReports(coherence, trained, tested),
    },
  };
}
