/** What a study.yaml names the behaviour that it is about. */
import { parse } from 'yaml';
import { z } from 'zod';

const named = z.object({ behaviour: z.object({ name: z.string() }) });

/** Undefined for a text that names none. */
export function behaviourOf(yaml: string | undefined): string | undefined {
  const found = named.safeParse(yaml === undefined ? undefined : parse(yaml));
  return found.success ? found.data.behaviour.name : undefined;
}
