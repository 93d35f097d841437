/** Steering vectors from each kind of file, made here as their writers make them, and from wrong ones. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import { checkVectorWidth, readVector } from '../../src/files/vectorFile.ts';
import { f32, i64, type Tensor, tensor } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  entry,
  floatTensor,
  ggufBytes,
  packedTensor,
  type TestTensor,
  text,
  valueTypes,
} from '../support/ggufWriter.ts';
import { outcome } from '../support/hostile.ts';

const path = temporaryFolder();
const values = [3, -4, 0, 12];
const vector = f32([4], values);

async function safetensors(tensors: Record<string, Tensor>, metadata: Record<string, string> = {}) {
  await writeSafetensors(path('v.safetensors'), tensors, metadata);
  return path('v.safetensors');
}

function gguf(tensors: readonly TestTensor[], architecture: string | undefined = 'controlvector') {
  const metadata =
    architecture === undefined ? [] : [entry('general.architecture', valueTypes.string, text(architecture))];
  writeFileSync(path('v.gguf'), ggufBytes({ metadata, tensors }));
  return path('v.gguf');
}

function json(content: unknown) {
  writeFileSync(path('v.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return path('v.json');
}

const direction = (n: number | string, first = 3) => floatTensor(`direction.${n}`, [4], [first, -4, 0, 12]);

/** What a file is refused with, the folder as $. */
async function refused(given: string, layer?: number): Promise<string> {
  const message = await readVector(given, layer).then(
    () => 'read',
    (error: Error) => `${error.name}: ${error.message}`,
  );
  expect(message).toMatch(/^InputError: [^\n]+$/);
  return message.slice('InputError: '.length).replaceAll(path(), '$');
}

describe('safetensors', () => {
  it('the one tensor, with the site that `culprit baseline` writes', async () => {
    const file = await safetensors({ mean: vector }, { site: 'resid_post 7' });
    expect(await readVector(file)).toEqual({ vector: vector.data, layer: 7, name: 'v', where: file });
  });

  it('one row, no site', async () => {
    const found = await readVector(await safetensors({ x: f32([1, 4], values) }));
    expect(found).toMatchObject({ vector: vector.data, layer: undefined });
  });

  it('the named one of several', async () => {
    const file = await safetensors({ a: f32([4], [1, 1, 1, 1]), 'b.c': vector });
    expect(await readVector(`${file}:b.c`)).toMatchObject({ vector: vector.data, name: 'v:b.c' });
    expect(await refused(file)).toBe(
      '$/v.safetensors: expected one tensor, found 2 ("a", "b.c"): name one, as $/v.safetensors:NAME',
    );
    expect(await refused(`${file}:d`)).toBe('$/v.safetensors: expected a tensor "d", found "a", "b.c"');
  });

  it.each<[string, Tensor]>([
    ['f64', tensor('f64', [4], Float64Array.from(values))],
    ['bf16', tensor('bf16', [4], Uint16Array.of(0x4040, 0xc080, 0, 0x4140))],
    ['f16', tensor('f16', [4], Uint16Array.of(0x4200, 0xc400, 0, 0x4a00))],
  ])('of %s', async (_, x) => {
    expect((await readVector(await safetensors({ x }))).vector).toEqual(vector.data);
  });

  it.each<[string, Tensor, string]>([
    ['a matrix', f32([2, 2], values), '$/v.safetensors: expected one vector, found the shape [2,2]'],
    ['integers', i64([2], [1, 2]), '$/v.safetensors: expected a float type, found i64'],
    ['nothing in it', f32([0], []), '$/v.safetensors: expected a vector, found an empty one'],
    ['NaN', f32([2], [1, Number.NaN]), '$/v.safetensors: expected finite values, found NaN'],
    ['zeros', f32([2], [0, 0]), '$/v.safetensors: expected a direction, found zeros alone'],
  ])('refuses %s', async (_, x, line) => {
    expect(await refused(await safetensors({ x }))).toBe(line);
  });

  it('refuses a file without tensors, and the embedding', async () => {
    expect(await refused(await safetensors({}))).toBe('$/v.safetensors: expected a tensor, found none');
    expect(await refused(await safetensors({ x: vector }, { site: 'resid_pre 0' }))).toBe(
      '$/v.safetensors: expected a vector at the output of a block, found "resid_pre 0", before the first',
    );
  });
});

describe('a GGUF control vector', () => {
  it('direction.N belongs to resid_post N', async () => {
    const file = gguf([direction(15)]);
    expect(await readVector(file)).toEqual({ vector: vector.data, layer: 15, name: 'v', where: file });
  });

  it('has its layer chosen by the caller', async () => {
    const file = gguf([1, 2, 3].map((n) => direction(n, n)));
    expect((await readVector(file, 2)).vector[0]).toBe(2);
    expect(await refused(file)).toBe(
      '$/v.gguf: expected one direction, found 3 layers from 1 to 3: choose one with --site',
    );
    expect(await refused(file, 4)).toBe(
      '$/v.gguf: expected direction.4, for resid_post 4, found 3 layers from 1 to 3',
    );
  });

  it('is known by its tensors, as in llama.cpp, whatever the architecture', async () => {
    for (const architecture of [undefined, 'qwen3'])
      expect((await readVector(gguf([direction(2)], architecture))).layer).toBe(2);
  });

  it.each<[string, TestTensor[], string]>([
    ['no tensors', [], '$/v.gguf: expected tensors direction.N, found none'],
    [
      'direction.0',
      [direction(0)],
      '$/v.gguf: expected a control vector, with tensors direction.1 and on, found the tensor "direction.0"',
    ],
    [
      'another float type',
      [packedTensor('direction.1', 'F16', [4])],
      '$/v.gguf: tensor "direction.1": expected type F32, found F16',
    ],
    [
      'a matrix',
      [floatTensor('direction.1', [2, 2], values)],
      '$/v.gguf: tensor "direction.1": expected one vector, found the shape [2,2]',
    ],
    [
      'infinity',
      [direction(1, Number.POSITIVE_INFINITY)],
      '$/v.gguf: expected finite values, found Infinity',
    ],
  ])('refuses %s', async (_, tensors, line) => {
    expect(await refused(gguf(tensors))).toBe(line);
  });

  it('refuses a model', async () => {
    expect(await refused(gguf([floatTensor('output.weight', [2, 2], values)], 'llama'))).toBe(
      '$/v.gguf: expected a control vector, with tensors direction.1 and on, found the tensor "output.weight" (general.architecture "llama")',
    );
  });
});

describe("Neuronpedia's JSON", () => {
  const upload = { modelId: 'gemma-2-2b-it', layerNumber: 20, vector: values, vectorLabel: 'dinosaurs' };

  it('an upload: resid_pre L is resid_post L − 1', async () => {
    for (const hookType of ['hook_resid_pre', 'resid-pre'])
      expect(await readVector(json({ ...upload, hookType }))).toMatchObject({
        vector: vector.data,
        layer: 19,
        name: 'dinosaurs',
      });
    expect((await readVector(json({ ...upload, hookType: 'hook_resid_post' }))).layer).toBe(20);
    expect((await readVector(json(upload))).layer).toBeUndefined();
  });

  it("the upload's answer", async () => {
    const answer = {
      message: 'Success',
      vector: {
        source: '20-neuronpedia-resid-pre',
        label: 'd',
        hookName: 'blocks.20.hook_resid_pre',
        values,
      },
    };
    expect(await readVector(json(answer))).toMatchObject({ vector: vector.data, layer: 19, name: 'd' });
  });

  it('a feature: the hook tells the site, the number of a source does not', async () => {
    const feature = {
      modelId: 'gpt2-small',
      layer: '6-res-jb',
      index: '650',
      vector: values,
      hookName: null,
    };
    expect(await readVector(json(feature))).toMatchObject({
      layer: undefined,
      name: 'gpt2-small/6-res-jb/650',
    });
    const hooks = {
      'blocks.6.hook_resid_pre': 5,
      'blocks.6.hook_resid_post': 6,
      'blocks.6.hook_mlp_out': undefined,
    };
    for (const [hookName, layer] of Object.entries(hooks))
      expect((await readVector(json({ ...feature, hookName }))).layer).toBe(layer);
    expect((await readVector(json({ ...feature, layer: '6-neuronpedia-resid-pre' }))).layer).toBe(5);
  });

  it.each<[string, unknown, string]>([
    [
      'a feature whose vector is empty',
      { layer: '15-x', index: '3194', vector: [] },
      "$/v.json: vector: expected numbers, found none: the direction of an SAE's latent stands in the SAE: give --sae and --latent 3194",
    ],
    ['no vector', { modelId: 'm' }, "$/v.json: expected Neuronpedia's JSON with a vector, found none"],
    ['a text in it', { vector: [1, 'a'] }, '$/v.json: vector[1]: expected number, found "a"'],
    ['a number too large', '{"vector": [1e999]}', '$/v.json: vector[0]: expected number, found Infinity'],
    [
      'a number too large for float32',
      { vector: [1e300] },
      '$/v.json: expected finite values, found Infinity',
    ],
    ['a list', [1, 2], '$/v.json: expected object, found an array of 2'],
    [
      'the embedding',
      { ...upload, layerNumber: 0, hookType: 'hook_resid_pre' },
      '$/v.json: expected a vector at the output of a block, found "hook_resid_pre 0", before the first',
    ],
  ])('refuses %s', async (_, content, line) => {
    expect(await refused(json(content))).toBe(line);
  });

  it('refuses what is no JSON', async () => {
    expect(await refused(json('nope'))).toMatch(/^\$\/v\.json: expected JSON: /);
  });
});

test('another kind of file, or none, is refused', async () => {
  expect(await refused(path('v.pt'))).toBe(
    '$/v.pt: expected a vector file: .safetensors, .gguf (a control vector) or .json (Neuronpedia)',
  );
  for (const name of ['v.safetensors', 'v.safetensors:x', 'v.gguf', 'v.json'])
    expect(await refused(path(name))).toBe(`$/${name.replace(':x', '')}: no such file or folder`);
});

test('a file cut anywhere is read or refused in one line', async () => {
  const whole = ggufBytes({ tensors: [direction(1)] });
  for (let end = 0; end < whole.length; end += 7) {
    writeFileSync(path('v.gguf'), whole.subarray(0, end));
    await outcome(() => readVector(path('v.gguf')));
  }
});

test('its width is held against the model', async () => {
  const found = await readVector(await safetensors({ x: vector }));
  expect(() => checkVectorWidth(found, 4)).not.toThrow();
  expect(() => checkVectorWidth(found, 5)).toThrow(
    "v.safetensors: expected a vector of the model's residual width 5, found 4",
  );
});
