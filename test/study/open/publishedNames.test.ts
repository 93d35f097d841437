/**
 * Files that name the same tensors in other ways: models of pictures and text, of which the text's part is read, and
 * GPT-2 as it was first published. Needs ../shared.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../../src/files/safetensors.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { f32, type Tensor } from '../../../src/tensor.ts';
import { type FixtureFamily, fixtureConfig, fixtureModel } from '../../support/modelFixtures.ts';
import { draw } from '../../support/opCases.ts';
import { shared } from '../../support/shared.ts';
import { put } from '../../support/tinyFolder.ts';
import { normal } from '../../support/tinyModel.ts';
import { byteLevelConfig, byteLevelJson } from '../../support/tokenizers.ts';

const vocab_size = 272;

describe.skipIf(!shared)('needs ../shared: published names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A folder of the fixture with a larger table, its tensors under other names and others beside them. */
  async function written(
    family: FixtureFamily,
    table: string,
    config: (own: object) => object,
    rename: (name: string) => string,
    more: ReadonlyMap<string, Tensor>,
  ): Promise<string> {
    const { weights } = await fixtureModel(family);
    const tensors = new Map(weights as ReadonlyMap<string, Tensor>);
    tensors.set(table, normal(draw(1), [vocab_size, 32], 1));
    const path = mkdtempSync(join(folder, 'model-'));
    put(join(path, 'config.json'), config({ ...fixtureConfig(family), vocab_size }));
    put(join(path, 'tokenizer.json'), byteLevelJson());
    put(join(path, 'tokenizer_config.json'), byteLevelConfig);
    const renamed = [...tensors].map(([name, tensor]) => [rename(name), tensor] as const);
    await writeSafetensors(join(path, 'model.safetensors'), new Map([...renamed, ...more]));
    return path;
  }

  const pictures = new Map([
    ['model.vision_tower.encoder.weight', f32([2, 2], [1, 2, 3, 4])],
    ['multi_modal_projector.mm_input_projection_weight', f32([1], [1])],
  ]);

  it.each<[string, (name: string) => string]>([
    ['today', (name) => name.replace(/^model\./, 'model.language_model.')],
    ['at first', (name) => `language_model.${name}`],
  ])('of Gemma 3 with pictures, as written %s', async (_, rename) => {
    const around = (text_config: object) => ({
      model_type: 'gemma3',
      text_config,
      vision_config: { hidden_size: 8 },
      boi_token_index: 255999,
      mm_tokens_per_image: 256,
    });
    const path = await written('gemma3', 'model.embed_tokens.weight', around, rename, pictures);
    const { model } = await openModel(path);
    expect(model.decoder).toMatchObject({ family: 'gemma3', width: 32, blocks: 3 });
    const { weights } = await fixtureModel('gemma3');
    expect([...model.weights.keys()].sort()).toEqual([...weights.keys()].sort());
  });

  it('of GPT-2 without a prefix, and with the masks that old files hold', async () => {
    const masks = new Map([
      ['h.0.attn.bias', f32([1, 1, 2, 2], [1, 0, 1, 1])],
      ['h.0.attn.masked_bias', f32([1], [-1e4])],
    ]);
    const bare = (name: string) => name.replace(/^transformer\./, '');
    const path = await written('gpt2', 'transformer.wte.weight', (own) => own, bare, masks);
    expect((await openModel(path)).model.decoder).toMatchObject({ family: 'gpt2', context: 64 });
  });
});
