/**
 * The study's judge with what it has said before. Verdicts stand in the working folder by judge and text, as
 * soon as they are there: going back to a judge asks nothing twice, and a run that was killed loses none.
 * Beside them stands what was paid without a verdict. For a run that holds the study's lock.
 */
import { z } from 'zod';
import { isThere } from '../../files/ifThere.ts';
import { readJsonl } from '../../files/jsonl.ts';
import type { Judge, JudgeItem, Verdict } from '../../judges/judge.ts';
import type { OpenStudy } from '../open/study.ts';
import { makeWorkFolder } from '../store/folder.ts';
import type { Made } from '../store/journal.ts';
import type { OpenJudgeOptions } from './judgeKind.ts';
import { judgeOf } from './openJudge.ts';
import { lostCosts, paidIn, spentEntry } from './paid.ts';
import {
  entryOf,
  heardIn,
  judgeKey,
  keptFile,
  keptVerdict,
  textId,
  type VerdictText,
  verdictFile,
  verdictIn,
} from './verdictFile.ts';

/** Which of these texts have a verdict that would be taken; for one who only looks on. */
export async function keptAmong(
  study: OpenStudy,
  texts: readonly VerdictText[],
): Promise<readonly boolean[]> {
  const file = keptFile(study.folder, await judgeKey(study));
  const ids = new Set<string>();
  if (judgeOf(study).keeps && (await isThere(file)))
    for await (const { value } of readJsonl(file, z.looseObject({ id: z.string() }), { cutLastLine: 'drop' }))
      ids.add(value.id);
  return texts.map((text) => ids.has(textId(text)));
}

/** A judge that says of each verdict whether it was there before. */
export interface KeptJudge extends Omit<Judge, 'grade'> {
  grade(
    items: readonly JudgeItem[],
    onVerdict: (item: JudgeItem, verdict: Verdict, made?: Made) => Promise<void>,
    ...rest: JudgeRest
  ): ReturnType<Judge['grade']>;
}
type JudgeRest = Parameters<Judge['grade']> extends [unknown, unknown, ...infer R] ? R : never;

/**
 * Opens the study's judge, so that it is asked of each text once, and of none that it was asked before. Its
 * budget counts what stands in the file, what was paid without a verdict too; `spent`, what records of the
 * study tell of its costs, where there is no such file yet. Where all of `texts`, which are all that it is asked
 * of, have their verdicts, nobody is called, and no key is needed.
 */
export async function openKeptJudge(
  study: OpenStudy,
  { spent, onReport, texts }: OpenJudgeOptions & { readonly texts?: readonly VerdictText[] } = {},
): Promise<KeptJudge> {
  const judge = judgeOf(study);
  if (!judge.keeps) return judge.open({ ...(spent && { spent }), ...(onReport && { onReport }) });
  const { folder, progress } = study;
  await makeWorkFolder(folder);
  const isNew = !(await isThere(keptFile(folder, await judgeKey(study))));
  const journal = await verdictFile(study);
  const before = isNew && spent && spentEntry(journal.records.values(), spent);
  if (before) await journal.append([before]);
  const lost = lostCosts(journal);
  const heard = heardIn(journal);
  const isKnown = texts?.every((text) => verdictIn(journal, textId(text)) !== undefined);
  const opened =
    isKnown && judge.batch
      ? (await judge.batch({ heard: heard.of, manner: undefined })).judge
      : await judge.open({
          spent: paidIn(journal.records.values()),
          onLost: lost.add,
          heard: heard.of,
          ...(onReport && { onReport }),
        });
  const { threshold } = await judge.fingerprint();
  return {
    ...opened,
    async grade(items, onVerdict, signal, refusals) {
      const missing = new Map<string, JudgeItem[]>();
      let before = 0;
      for (const item of items) {
        const id = textId(item);
        const found = verdictIn(journal, id);
        if (found === undefined) missing.set(id, [...(missing.get(id) ?? []), item]);
        else {
          before++;
          await onVerdict(item, keptVerdict(found, threshold), 'before');
        }
      }
      if (before === items.length && before > 1)
        progress.note(`judge: all ${before} texts were graded before`);
      if (missing.size === 0) return {};
      return opened.grade(
        [...missing.values()].map(([first]) => first!),
        async (item, verdict) => {
          const id = textId(item);
          await journal.append([entryOf(id, verdict), ...heard.settled(id), ...lost.found(item)]);
          for (const same of missing.get(id)!) await onVerdict(same, verdict);
        },
        signal,
        refusals,
      );
    },
  };
}
