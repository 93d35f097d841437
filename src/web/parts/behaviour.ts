/** What a study.yaml says of the study that the app shows. */
import { parse } from 'yaml';
import { z } from 'zod';
import { controlKinds } from '../../results.ts';

const named = z.object({ behaviour: z.object({ name: z.string() }) });

/** Undefined for a text that names none. */
export function behaviourOf(yaml: string | undefined): string | undefined {
  const found = named.safeParse(yaml === undefined ? undefined : parse(yaml));
  return found.success ? found.data.behaviour.name : undefined;
}

const kinds = Object.keys(controlKinds) as (keyof typeof controlKinds)[];
const control = z.object({ control: z.object({ kind: z.enum(kinds) }) });

/** What is broken on purpose, where the study is a control; undefined where it is none. */
export function controlOf(yaml: string | undefined): string | undefined {
  const found = control.safeParse(yaml === undefined ? undefined : parse(yaml));
  return found.success ? controlKinds[found.data.control.kind] : undefined;
}
