/** The kinds of engine that a study can name; the first is what it has where it names none. */
import type { EngineConfig } from '../config/sections/sampling.ts';
import type { EngineKind } from './engineKind.ts';
import { localEngineKind } from './kinds/local.ts';
import { vllmKind } from './kinds/vllm.ts';

export const engineKinds: readonly EngineKind[] = [localEngineKind, vllmKind].map(
  (kind) => kind as EngineKind<EngineConfig>,
);
