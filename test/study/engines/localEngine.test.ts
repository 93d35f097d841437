/** The engine of this machine against the contract of engines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { localEngine } from '../../../src/methods/completions/localEngine.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { engineContract } from '../../support/engineContract.ts';
import { layer, putAll } from '../../support/tinyFolder.ts';

const runtime = nodeRuntime({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'culprit-engine-'));
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

engineContract(async () => {
  const tiny = await putAll(folder);
  const { model, codec } = await openModel(tiny.model, { adapter: tiny.adapter });
  const prompts = ['What of this?', 'The hen in the', '12 and'].map((text) => codec.encodePrompt(text));
  return { engine: localEngine(runtime, model), of: { runtime, model, layer, prompts } };
});
