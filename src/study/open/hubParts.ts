/** What a study takes from the Hugging Face hub, by where study.yaml names it. */
import type { HubWant } from '../../files/hub/fetch.ts';
import { isHub } from '../../files/hub/reference.ts';
import type { HubUse } from '../../files/hub/selection.ts';
import type { StudyConfig } from '../config/schema.ts';

/** By the field; all others name files of rows. */
const uses: Readonly<Record<string, HubUse>> = { model: 'model', adapter: 'adapter', path: 'dictionary' };

function* references(part: unknown, field = ''): Generator<HubWant> {
  if (typeof part === 'string' && isHub(part)) yield { given: part, use: uses[field] ?? 'file' };
  if (typeof part === 'object' && part !== null)
    for (const [name, inner] of Object.entries(part)) yield* references(inner, name);
}

/** Each reference once. */
export const hubParts = (config: StudyConfig): HubWant[] => [
  ...new Map([...references(config)].map((want) => [want.given, want])).values(),
];
