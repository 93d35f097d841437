/** This machine: ONNX Runtime on the model's own files. */
import { z } from 'zod';
import type { Engine } from '../../../methods/completions/engine.ts';
import { localEngine } from '../../../methods/completions/localEngine.ts';
import { about, section } from '../../config/fields.ts';
import type { EngineKind, EngineRequest } from '../engineKind.ts';

const schema = () => section({ kind: about(z.literal('local'), 'local, this machine') });

/** Its model is opened with the first that is asked of it. */
function opened({ own, runtime }: EngineRequest): Engine {
  const engine = async () => localEngine(runtime(), (await own()).model);
  return {
    name: 'this machine',
    ready: async () => undefined,
    makes: () => true,
    sampler: async (options) => (await engine()).sampler(options),
    residuals: async (layer) => (await engine()).residuals(layer),
  };
}

export const localEngineKind: EngineKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'local',
  about: 'this machine, from the model files',
  schema,
  identity: () => undefined,
  open: (_, request) => ({ ...opened(request), facts: () => undefined }),
};
