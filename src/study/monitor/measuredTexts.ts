/** Texts as detectors take them: mean residual, label and prompt, read by the subject of the study that they are of. */
import type { MeasuredText } from '../../methods/monitoring/detectors.ts';
import type { TokenSet } from '../../methods/site/contrast.ts';
import type { OpenStudy } from '../open/study.ts';
import { journalFile } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { openJournal } from '../store/journal.ts';
import { dateText } from '../store/runRecord.ts';
import { meanRecord, meanResiduals, meanVersion } from './meanResiduals.ts';
import type { MonitoredText } from './monitoredTexts.ts';

/** How texts are read, whatever model reads them. */
export interface MonitorReading {
  readonly tokens: TokenSet;
  /** the folder whose journals keep what was read */
  readonly journalIn: string;
}

/** Texts with their means; `unread` had none. */
export interface MeasuredTexts {
  readonly texts: readonly MeasuredText[];
  readonly unread: number;
}

/** Reads texts with one study's subject. */
export async function measuredTexts(
  study: OpenStudy,
  texts: readonly MonitoredText[],
  { tokens, journalIn }: MonitorReading,
): Promise<MeasuredTexts> {
  const { model, codec } = await study.model(study.config.subject);
  const layer = await study.layer();
  const hashes = await study.modelHashes('model', study.config.subject);
  const key = jsonHash([
    Object.entries(hashes).map(([name, { sha256 }]) => [name, sha256]),
    [layer, tokens, meanVersion, codec.date ? dateText(codec.date) : null],
    study.recorder.versions,
  ]);
  const { clock, progress, recorder } = study;
  const journal = await openJournal(
    journalFile(journalIn, { name: 'monitor', key }),
    meanRecord,
    ({ id }) => id,
    {
      clock,
      note: progress.note,
      check: recorder.check,
    },
  );
  const site = { runtime: study.runtime(), model, codec, layer, tokens };
  const means = await meanResiduals(site, texts, journal, progress);
  const found = texts.flatMap(({ group, positive }, n): MeasuredText[] => {
    const features = means[n];
    return features === undefined ? [] : [{ features, label: positive, group }];
  });
  return { texts: found, unread: texts.length - found.length };
}
