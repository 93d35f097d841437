/** The tiny subject and what a server may hold in its place, with an engine on a stand-in server. */

import type { Runtime } from '../../src/runtime/runtime.ts';
import type { EngineRequest, OpenEngine } from '../../src/study/engines/engineKind.ts';
import { vllmKind } from '../../src/study/engines/kinds/vllm.ts';
import { type OpenModel, openModel } from '../../src/study/open/openModel.ts';
import type { TinyFolder } from './tinyFolder.ts';

export interface EngineModels {
  readonly subject: OpenModel;
  readonly reference: OpenModel;
}

export async function engineModels(tiny: TinyFolder): Promise<EngineModels> {
  const subject = await openModel(tiny.model, { adapter: tiny.adapter });
  return { subject, reference: await openModel(tiny.model) };
}

/** Fields of study.yaml with their defaults. */
export const vllmConfig = (baseUrl: string, over: Readonly<Record<string, unknown>> = {}) =>
  vllmKind.schema().parse({
    ...{ kind: 'vllm', base_url: baseUrl, model: 'base', adapter: 'tuned', concurrency: 8, retries: 3 },
    ...over,
  });

export interface OpenedVllm {
  readonly engine: OpenEngine;
  readonly notes: string[];
}

/** The engine of the subject. */
export function openVllm(
  baseUrl: string,
  { subject, reference }: EngineModels,
  runtime: Runtime,
  over: Readonly<Record<string, unknown>> = {},
  request: Partial<EngineRequest> = {},
): OpenedVllm {
  const notes: string[] = [];
  const engine = vllmKind.open(vllmConfig(baseUrl, over), {
    side: 'subject',
    own: async () => subject,
    others: [{ name: 'the reference', open: async () => reference }],
    runtime: () => runtime,
    environment: {},
    note: (line) => notes.push(line),
    ...request,
  });
  return { engine, notes };
}
