/** The engine that docs/extending.md adds: this machine by another name. */
import { z } from 'zod';
import { about, section, text } from '../../src/study/config/fields.ts';
import type { EngineKind } from '../../src/study/engines/engineKind.ts';
import { localEngineKind } from '../../src/study/engines/kinds/local.ts';
import { isAdded } from '../../src/study/engines/vllm/steering.ts';

const schema = () => section({ kind: z.literal('echo'), name: about(text('a name'), 'its name', 'me') });

export const echoKind: EngineKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'echo',
  about: 'this machine, by another name',
  schema,
  identity: ({ name }) => ({ kind: 'echo', name }),
  open: ({ name }, request) => ({
    ...localEngineKind.open({ kind: 'local' }, request),
    name,
    makes: isAdded,
    facts: () => ({ engine: 'echo', name }),
  }),
};
