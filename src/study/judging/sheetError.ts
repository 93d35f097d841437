/** From texts that were read again to what judge-error.json says of the judge. Knows no file. */
import { correctedByArm, differentialError, type PromptLabels } from '../../methods/judging/correction.ts';
import {
  type ArmError,
  type IntervalEstimate,
  judgeErrorOf,
  type ReadArm,
  type VerdictName,
  verdictNames,
} from '../../methods/judging/judgeError.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { type CorrectedRow, type SheetError, type TextArm, textArms } from '../../results.ts';
import type { GradedText } from './gradedTexts.ts';

interface Arm {
  readonly arm: TextArm;
  readonly texts: readonly GradedText[];
  readonly read: ReadArm;
  readonly error: ArmError;
}

/** An estimate as a file has it: null where it is not known. */
const known = ({ value, low, high }: IntervalEstimate) => (Number.isNaN(value) ? null : { value, low, high });

const labelErrors = ({ estimates }: ArmError) => ({
  sensitivity: known(estimates.sensitivity),
  specificity: known(estimates.specificity),
  kappa: known(estimates.kappa),
  coherent_kept: known(estimates.coherent_kept),
  incoherent_found: known(estimates.incoherent_found),
});

const byVerdict = <T>(of: (name: VerdictName) => T): Record<VerdictName, T> => ({
  positive: of('positive'),
  negative: of('negative'),
  incoherent: of('incoherent'),
});

function readArmOf(texts: readonly GradedText[], verdicts: ReadonlyMap<string, VerdictName>): ReadArm {
  return byVerdict((said) => {
    const own = texts.filter((text) => text.said === said);
    const readAs = (name: VerdictName) => own.filter(({ id }) => verdicts.get(id) === name).length;
    return { population: own.length, read: byVerdict(readAs) };
  });
}

const strataOf = (read: ReadArm) =>
  byVerdict((said) => ({
    texts: read[said].population,
    read: verdictNames.reduce((sum, name) => sum + read[said].read[name], 0),
  }));

function tallyOf(texts: readonly GradedText[]) {
  const coherent = texts.filter(({ said }) => said !== 'incoherent');
  return { coherent: coherent.length, positives: coherent.filter(({ said }) => said === 'positive').length };
}

const byPrompt = (texts: readonly GradedText[]) => grouped(texts, ({ prompt_id }) => prompt_id);

/** What one direction did, prompt by prompt, beside the same prompts left alone on the same model. */
function promptLabels(steered: readonly GradedText[], alone: readonly GradedText[]): PromptLabels[] {
  const before = byPrompt(alone);
  return [...byPrompt(steered)].map(([prompt, own]) => ({
    steered: tallyOf(own),
    alone: tallyOf(before.get(prompt) ?? []),
  }));
}

function effectRow(own: readonly GradedText[], arm: Arm, alone: Arm, all: ArmError, seed: number) {
  const { side, latent, name } = own[0]!;
  const prompts = promptLabels(
    own,
    alone.texts.filter((text) => text.side === side),
  );
  const share = (of: keyof PromptLabels) => {
    const sum = (what: 'coherent' | 'positives') => prompts.reduce((n, prompt) => n + prompt[of][what], 0);
    return sum('positives') / sum('coherent');
  };
  const effect = share('steered') - share('alone');
  const corrected = (errors: Record<keyof PromptLabels, ArmError>) =>
    known(correctedByArm(prompts, errors, seed));
  const row = (): CorrectedRow => ({
    arm: arm.arm,
    side,
    latent,
    name,
    effect,
    corrected: corrected({ steered: arm.error, alone: alone.error }),
    corrected_alike: corrected({ steered: all, alone: all }),
  });
  return Number.isNaN(effect) ? [] : [row()];
}

function effectsOf(arms: readonly Arm[], alone: Arm, all: ArmError, seed: number): CorrectedRow[] {
  return arms
    .flatMap((arm) => {
      const directions = grouped(arm.texts, ({ side, latent, name }) => JSON.stringify([side, latent, name]));
      return [...directions.values()].flatMap((own) => effectRow(own, arm, alone, all, seed));
    })
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
}

function differentialOf(arm: Arm, alone: Arm): SheetError['differential'][number] {
  const { coherent, positives } = tallyOf(alone.texts);
  const { sensitivity, specificity, bias } = differentialError(arm.error, alone.error, positives / coherent);
  return {
    arm: arm.arm,
    sensitivity: known(sensitivity),
    specificity: known(specificity),
    bias: known(bias),
  };
}

export interface SheetRead {
  readonly reader: string;
  readonly steered: string;
  readonly rows: number;
  /** by id, of the rows that are filled in */
  readonly verdicts: ReadonlyMap<string, VerdictName>;
  readonly seed: number;
}

/** `texts`: all of the causal test, of which those in `verdicts` were drawn at random within each stratum. */
export function sheetErrorOf(texts: readonly GradedText[], sheet: SheetRead): SheetError {
  const { reader, steered, rows, verdicts, seed } = sheet;
  const arms = textArms.flatMap((arm, i): Arm[] => {
    const own = texts.filter((text) => text.arm === arm);
    if (own.length === 0) return [];
    const read = readArmOf(own, verdicts);
    return [{ arm, texts: own, read, error: judgeErrorOf([read], seed + i) }];
  });
  const all = judgeErrorOf(
    arms.map(({ read }) => read),
    seed + textArms.length,
  );
  const alone = arms.find(({ arm }) => arm === 'alone');
  const others = arms.filter((arm) => arm !== alone);
  return {
    reader,
    steered,
    rows,
    empty: rows - verdicts.size,
    arms: arms.map(({ arm, read, error }) => ({ arm, strata: strataOf(read), ...labelErrors(error) })),
    all: labelErrors(all),
    differential: alone ? others.map((arm) => differentialOf(arm, alone)) : [],
    effects: alone ? effectsOf(others, alone, all, seed) : [],
  };
}
