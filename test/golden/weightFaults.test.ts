/**
 * Files on which numbers were once wrong, and what is right by transformers, peft and llama.cpp. Needs ../shared.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { culpritHere } from '../support/cliHere.ts';
import { inShared, shared } from '../support/shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const of = (...parts: string[]) => inShared('faults', ...parts);
const corpus = () => ['--corpus', of('tiny/corpus.jsonl')];

const evaluated = (model: string, more: readonly string[] = [], sae = 'tiny/sae') =>
  culpritHere([
    'sae',
    'eval',
    '--model',
    of(model),
    '--sae',
    of(sae),
    ...corpus(),
    ...more,
    '--cache',
    folder,
  ]);

describe.skipIf(!shared)('needs ../shared: files of kinds that were read wrongly', () => {
  it.each([
    ['a GGUF with a rope factor and no type', '11-gguf-rope-factor/model.gguf', undefined, '6.3968'],
    ['rope_scaling beside rope_parameters', '17-rope-scaling-beside-parameters/model', undefined, '6.2576'],
    ['an adapter with exclude_modules', 'tiny/model', '22-lora-exclude-modules/adapter', '6.1699'],
    ['an adapter with unused targets', 'tiny/model', '23-lora-unused-target/adapter', '6.1595'],
    ['__metadata__: null', '27-metadata-null/model', undefined, '6.2734'],
  ])('%s', async (_, model, adapter, loss) => {
    const { code, stdout } = await evaluated(model, adapter ? ['--adapter', of(adapter)] : []);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`as it is +${loss}`));
  });

  it.each([
    [
      'the first part of a split GGUF',
      '13-gguf-split-head/m-00001-of-00002.gguf',
      /part 1 of 2 \(split\.count\)/,
    ],
    [
      'a GGUF of partial rotary',
      '15-gguf-partial-rotary/model.gguf',
      /llama\.rope\.dimension_count: .* 8, .* 4$/,
    ],
    ['a folder of bitsandbytes', '19-int8-weights/model', /config\.json: quantization_config: /],
    ['a model with NaN', '21-nan-model/model', /up_proj\.weight": expected finite values, found NaN/],
  ])('%s is refused in one line', async (_, model, message) => {
    const { code, stdout, stderr } = await evaluated(model);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trim()).toMatch(/^culprit: [^\n]+$/);
    expect(stderr.trim()).toMatch(message);
  });

  it('an adapter with NaN', async () => {
    const adapter = of('20-nan-adapter/adapter');
    const { code, stderr } = await evaluated('tiny/model', ['--adapter', adapter]);
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(
      /^culprit: adapter .*lora_A\.weight": expected finite values, found NaN .*$/,
    );
  });

  it('baseline and steer write and say nothing of a model with NaN', async () => {
    const out = join(folder, 'b.safetensors');
    const model = ['--model', of('21-nan-model/model')];
    const baseline = await culpritHere(['baseline', ...model, '--site', '1', ...corpus(), '--out', out]);
    const latent = ['--sae', of('tiny/sae'), '--latent', '3', '--dose', '0.1'];
    const steer = await culpritHere(['steer', ...model, ...latent, '--prompt', 'x', '--max-tokens', '4']);
    for (const { code, stdout, stderr } of [baseline, steer]) {
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr.trim()).toMatch(/^culprit: model .*expected finite values, found NaN .*$/);
    }
    expect(existsSync(out)).toBe(false);
  });

  it.each([[[]], [['--site', '1']]])('a dictionary of another hook, with %j', async (site) => {
    const { code, stderr } = await evaluated('tiny/model', site, '26-sae-of-another-hook/sae');
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(/^culprit: SAE .* was trained on "blocks\.1\.hook_mlp_out": expected .*$/);
  });
});
