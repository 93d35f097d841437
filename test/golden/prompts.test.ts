/** Needs ../shared: prompts and tokens on which culprit was wrong once, by the counts of transformers. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAttribute } from '../../src/study/attribution/attributeRun.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inShared, shared } from '../support/shared.ts';

const path = temporaryFolder();
const there = shared && existsSync(inShared('faults', 'tiny'));

/** The case's own run: its files put into the tiny model's folder, then `culprit attribute`. */
async function tokensOf(name: string): Promise<number> {
  const folder = inShared('faults', name);
  const tiny = inShared('faults', 'tiny');
  const model = path(`model-${name}`);
  cpSync(join(tiny, 'model'), model, { recursive: true });
  for (const file of readdirSync(folder)) {
    if (file === 'template.jinja') cpSync(join(folder, file), join(model, 'chat_template.jinja'));
    if (file.startsWith('tokenizer')) cpSync(join(folder, file), join(model, file));
  }
  const own = join(folder, 'pairs.jsonl');
  const { manifest } = await runAttribute({
    model,
    sae: join(tiny, 'sae'),
    pairs: existsSync(own) ? own : join(tiny, 'pairs.jsonl'),
    baselineCorpus: join(tiny, 'corpus.jsonl'),
    out: path(`out-${name}`),
  });
  return manifest.counts.tokens!;
}

describe.skipIf(!there)('needs ../shared: the tokens of a pair', () => {
  test.each([
    ['01-template-crlf', 32],
    ['06-template-date', 43],
    ['07-message-fields', 65],
    ['08-completion-leading-space', 45],
    ['10-add-bos-token', 13],
  ])('%s', async (name, tokens) => {
    expect(await tokensOf(name)).toBe(tokens);
  });

  test('04-template-undefined-test is refused', async () => {
    await expect(tokensOf('04-template-undefined-test')).rejects.toThrow(/roles must alternate/);
  });
});
