/** The vLLM engine, on a stand-in that speaks its protocol, against the contract of engines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { engineContract } from '../../support/engineContract.ts';
import { engineModels, openVllm } from '../../support/engineModels.ts';
import { layer, putAll } from '../../support/tinyFolder.ts';
import { type VllmServer, vllmServer } from '../../support/vllmServer.ts';

const runtime = nodeRuntime({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'culprit-vllm-'));
const servers: VllmServer[] = [];
afterAll(async () => {
  for (const server of servers) await server.close();
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

engineContract(async () => {
  const models = await engineModels(await putAll(folder));
  const server = await vllmServer(runtime, { base: models.reference, tuned: models.subject });
  servers.push(server);
  const { model, codec } = models.subject;
  const prompts = ['What of this?', 'The hen in the', '12 and'].map((text) => codec.encodePrompt(text));
  const { engine } = openVllm(server.baseUrl, models, runtime);
  return { engine, of: { runtime, model, layer, prompts } };
});
