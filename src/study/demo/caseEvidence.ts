/** What a case's first latents do and seem to mean, as `culprit interpret` finds it for a study. Read by the subject, in the organism's own texts. */
import { join } from 'node:path';
import type { LatentRow } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type MadeEvidence, makeEvidence } from '../interpretation/evidence.ts';
import { contrastsOf } from '../open/contrasts.ts';
import type { Progress } from '../open/progress.ts';
import type { Clock } from '../store/runRecord.ts';
import { type Bundle, bundleFiles, type Case } from './bundle.ts';
import type { CaseRecords } from './caseRecords.ts';
import type { CaseResult } from './caseRun.ts';

export interface CaseEvidenceRequest {
  readonly rows: readonly LatentRow[];
  readonly behaviour: string;
  /** where a scan that is stopped is kept, and the hash of all that it depends on */
  readonly folder: string;
  readonly key: string;
  readonly clock: Clock;
  readonly progress: Progress;
}

const read = { tokens: 100_000, passageTokens: 256 };

export function caseEvidence(
  runtime: Runtime,
  bundle: Bundle,
  { subject }: Case,
  result: CaseResult,
  { completions, pairs }: CaseRecords,
  request: CaseEvidenceRequest,
): Promise<MadeEvidence> {
  const byId = new Map(completions.map((one) => [one.id, one]));
  const contrasts = new Map(contrastsOf(pairs, byId, subject.codec, true).map((one) => [one.id, one]));
  return makeEvidence({
    ...request,
    ...read,
    runtime,
    opened: subject,
    reader: subject,
    sae: bundle.sae,
    layer: bundle.layer,
    passages: { corpora: [join(bundle.folder, bundleFiles.corpus)] },
    corpora: ["the organism's texts"],
    contrasts: result.contrasts.map(({ id }) => contrasts.get(id)!),
    perContrast: result.attribution.perContrast,
    baseline: result.baseline,
    loss: 'mean',
  });
}
