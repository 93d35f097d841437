/**
 * The study's judge with what it has said before. Verdicts stand in the working folder by judge and text, as
 * soon as they are there: going back to a judge asks nothing twice, and a run that was killed loses none.
 * Beside them stands what was paid without a verdict. For a run that holds the study's lock.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { isThere } from '../../files/ifThere.ts';
import { readJsonl, readJsonlAll } from '../../files/jsonl.ts';
import type { Judge, JudgeItem, Verdict } from '../../judges/judge.ts';
import { gradeRecord, resultFiles } from '../../results.ts';
import { hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { contentOf } from '../store/contentHash.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { contentHash, jsonHash } from '../store/hash.ts';
import { type Journal, type Made, openJournal } from '../store/journal.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import type { OpenJudgeOptions } from './judgeKind.ts';
import { judgeOf } from './openJudge.ts';
import { lostCosts, lostEntry, paidIn, spentEntry } from './paid.ts';

const verdictEntry = gradeRecord
  .pick({ score: true, coherence: true, coherent: true, reason: true, raw: true, cost: true })
  .extend({ id: z.string() });
const entry = z.union([lostEntry, verdictEntry]);
type Entry = z.output<typeof entry>;

/** The file of a judge's verdicts, by the hash of all that they depend on beside the text. */
export const keptFile = (folder: string, key: string): string =>
  join(workFolder(folder), `verdicts-${key.slice(0, 12)}.jsonl`);

/** Hash of all that a verdict of the study's judge depends on beside the text. */
export async function judgeKey(study: OpenStudy): Promise<string> {
  const { inputs, options, computed } = await judgeOf(study).fingerprint();
  const versions = computed ? computing(study.recorder.versions) : {};
  return stageKey({ inputs: hashesOf(inputs), versions, options });
}

type Text = Pick<JudgeItem, 'prompt' | 'completion' | 'ended'>;
const idOf = ({ prompt, completion, ended }: Text): string =>
  jsonHash([contentOf(prompt, completion), ended]);

/** Which of these texts have a verdict that would be taken; for one who only looks on. */
export async function keptAmong(study: OpenStudy, texts: readonly Text[]): Promise<readonly boolean[]> {
  const file = keptFile(study.folder, await judgeKey(study));
  const ids = new Set<string>();
  if (judgeOf(study).keeps && (await isThere(file)))
    for await (const { value } of readJsonl(file, z.looseObject({ id: z.string() }), { cutLastLine: 'drop' }))
      ids.add(value.id);
  return texts.map((text) => ids.has(idOf(text)));
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
 * study tell of its costs, where there is no such file yet.
 */
export async function openKeptJudge(
  study: OpenStudy,
  { spent, onReport }: OpenJudgeOptions = {},
): Promise<KeptJudge> {
  const judge = judgeOf(study);
  if (!judge.keeps) return judge.open({ ...(spent && { spent }), ...(onReport && { onReport }) });
  const { folder, progress } = study;
  await makeWorkFolder(folder);
  const file = keptFile(folder, await judgeKey(study));
  const isNew = !(await isThere(file));
  await keepFinished(study);
  const journal = await journalAt(file, study);
  const before = isNew && spent && spentEntry(journal.records.values(), spent);
  if (before) await journal.append([before]);
  const lost = lostCosts(journal);
  const opened = await judge.open({
    spent: paidIn(journal.records.values()),
    onLost: lost.add,
    ...(onReport && { onReport }),
  });
  const { threshold } = await judge.fingerprint();
  return {
    ...opened,
    async grade(items, onVerdict, signal, refusals) {
      const missing = new Map<string, JudgeItem[]>();
      let before = 0;
      for (const item of items) {
        const id = idOf(item);
        const found = journal.records.get(id);
        if (found === undefined || 'lost' in found) missing.set(id, [...(missing.get(id) ?? []), item]);
        else {
          before++;
          await onVerdict(item, verdictOf(found, threshold), 'before');
        }
      }
      if (before === items.length && before > 1)
        progress.note(`judge: all ${before} texts were graded before`);
      if (missing.size === 0) return {};
      return opened.grade(
        [...missing.values()].map(([first]) => first!),
        async (item, verdict) => {
          const id = idOf(item);
          await journal.append([entryOf(id, verdict), ...lost.found(item)]);
          for (const same of missing.get(id)!) await onVerdict(same, verdict);
        },
        signal,
        refusals,
      );
    },
  };
}

const journalAt = (path: string, { clock, progress }: OpenStudy): Promise<Journal<Entry>> =>
  openJournal(path, entry, ({ id }) => id, { clock, note: progress.note });

function entryOf(id: string, { score, coherence, coherent, reason, raw, cost }: Verdict): Entry {
  const { calls, inputTokens, outputTokens, price } = cost;
  return {
    id,
    score,
    coherence,
    coherent,
    reason,
    raw,
    cost: { calls, input_tokens: inputTokens, output_tokens: outputTokens, price },
  };
}

function verdictOf(found: z.output<typeof verdictEntry>, threshold: number): Verdict {
  const { id: _, cost, ...said } = found;
  const { calls, input_tokens, output_tokens, price } = cost;
  return {
    ...said,
    label: said.score >= threshold ? 'positive' : 'negative',
    cost: { calls, inputTokens: input_tokens, outputTokens: output_tokens, price },
  };
}

/** Keeps the finished grades of a study that was graded by a culprit which kept none, or by another judge. */
async function keepFinished(study: OpenStudy): Promise<void> {
  const { folder } = study;
  const made = (await readStudyManifest(folder))?.stages.grade;
  const key = made?.options.unit_key;
  const path = join(folder, resultFiles.grades);
  if (made === undefined || typeof key !== 'string' || !['chat', 'local'].includes(String(made.options.kind)))
    return;
  if ((await isThere(keptFile(folder, key))) || !(await isThere(path))) return;
  if ((await contentHash(path)) !== made.outputs[resultFiles.grades] || made.edited.length > 0) return;
  const texts = new Map(
    (await study.completions()).map(({ prompt, text, stop }) => [
      contentOf(prompt, text),
      idOf({ prompt, completion: text, ended: stop !== 'length' }),
    ]),
  );
  const grades = await readJsonlAll(path, gradeRecord);
  const journal = await journalAt(keptFile(folder, key), study);
  await journal.append(
    grades.flatMap(({ content, score, coherence, coherent, reason, raw, cost }) => {
      const id = texts.get(content);
      return id === undefined ? [] : [{ id, score, coherence, coherent, reason, raw, cost }];
    }),
  );
}
