/** Adds an SAE format by one object in the list: a folder of raw numbers opens as any other dictionary. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { makeSae } from '../../src/saes/dictionary.ts';
import type { SaeFolder, SaeFormat } from '../../src/saes/formats/format.ts';
import { saeFormats } from '../../src/saes/formats/formats.ts';
import { jumprelu } from '../../src/saes/kinds/jumprelu.ts';
import { wholeEncoder } from '../../src/saes/latentMatrix.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { runGraph } from '../saes/runGraph.ts';
import { putSae } from '../support/tinyFolder.ts';

/**
 * A JumpReLU as raw float32: `shape.txt` says "d N", `weights.raw` holds W_enc, W_dec, b_enc, threshold and
 * b_dec.
 */
const madeUp: SaeFormat = {
  name: 'made-up',
  expects: 'shape.txt and *.raw',
  owns: (names) => names.includes('shape.txt') && names.some((name) => name.endsWith('.raw')),
  open: openRaw,
};

async function openRaw({ where, names, bytes }: SaeFolder) {
  const shape = new TextDecoder().decode(await bytes('shape.txt'));
  const [width, latents] = shape.split(' ').map(Number) as [number, number];
  const raw = names.find((name) => name.endsWith('.raw'))!;
  const sizes = {
    W_enc: width * latents,
    W_dec: width * latents,
    b_enc: latents,
    threshold: latents,
    b_dec: width,
  };
  type Name = keyof typeof sizes;
  const starts = {} as Record<Name, number>;
  let end = 0;
  for (const [name, size] of Object.entries(sizes) as [Name, number][]) {
    starts[name] = end;
    end += size;
  }
  /** Values from ≤ i < to of one of them. */
  const values = async (name: Name, from = 0, to = sizes[name]) => {
    const found = await bytes(raw, 4 * (starts[name] + from), 4 * (starts[name] + to));
    return new Float32Array(found.slice().buffer);
  };
  return makeSae({
    kind: jumprelu,
    where,
    trainedOn: { model: undefined, hook: undefined, site: undefined },
    normalisation: 'none',
    decoder: { width, latents, rows: (from, to) => values('W_dec', from * width, to * width) },
    encoder: wholeEncoder(latents, () => values('W_enc')),
    counts: {},
    weight: (name) => values(name),
    subtractBias: false,
  });
}

const formats = [...saeFormats, madeUp];
const folder = mkdtempSync(join(tmpdir(), 'culprit-format-'));
const at = (...parts: string[]) => join(folder, ...parts);
const runtime = nodeRuntime({ threads: 1 });
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

/** d = 2, N = 3: latents see x₀, x₁ and x₀ + x₁. */
const numbers = [
  [1, 0, 1, 0, 1, 1],
  [2, 0, 0, 1, 3, 4],
  [0, 0, -1],
  [0, 1, 0],
  [0.5, 0],
].flat();

function putRaw(name: string, values: readonly number[] = numbers): string {
  mkdirSync(at(name), { recursive: true });
  writeFileSync(at(name, 'shape.txt'), '2 3');
  writeFileSync(at(name, 'weights.raw'), new Uint8Array(Float32Array.from(values).buffer));
  return at(name);
}

it('opens a folder that it says is its own, whatever types its files are of', async () => {
  const sae = await openSae(putRaw('raw'), formats);
  expect([sae.kind.name, sae.width, sae.latents, sae.where]).toEqual(['jumprelu', 2, 3, at('raw')]);
  const { z, reconstruction } = await runGraph(runtime, sae, Float32Array.of(3, 1));
  // activations 3, 0 (its threshold is 1) and 3; decoder norms 2, 1 and 5
  expect([...z]).toEqual([6, 0, 15]);
  expect([...reconstruction]).toEqual([0.5 + 6 + 9, 12]);
  expect([...(await sae.decoderRows(2, 3))]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
});

it('also through links, as a download cache has them', async () => {
  const raw = putRaw('blobs');
  mkdirSync(at('snapshot'));
  for (const name of ['shape.txt', 'weights.raw']) symlinkSync(join(raw, name), at('snapshot', name));
  expect((await openSae(at('snapshot'), formats)).latents).toBe(3);
});

it('leaves folders of the other formats to them', async () => {
  const sae = await openSae(await putSae(at('saelens')), formats);
  expect(sae.kind.name).toBe('relu');
});

it('says of a damaged file what is wrong with it', async () => {
  const sae = await openSae(putRaw('cut', numbers.slice(0, -1)), formats);
  await expect(runGraph(runtime, sae, Float32Array.of(3, 1))).rejects.toThrow(
    new InputError(`${at('cut', 'weights.raw')}: truncated: expected 80 bytes or more, found 76`),
  );
});

it('is named where a folder is in no known format, with what was found', async () => {
  const known = saeFormats.map(({ expects, name }) => `${expects} (${name})`).join(', or ');
  const refused = (path: string, found: string) =>
    new InputError(
      `SAE ${path}: expected a folder with ${known}, or shape.txt and *.raw (made-up), found ${found}`,
    );
  mkdirSync(at('other', 'shape.txt'), { recursive: true });
  await expect(openSae(at('other'), formats)).rejects.toThrow(refused(at('other'), 'no files'));
  for (const name of ['b.bin', 'a.raw']) writeFileSync(at('other', name), '');
  await expect(openSae(at('other'), formats)).rejects.toThrow(refused(at('other'), '"a.raw, b.bin"'));
  await expect(openSae(at('none'), formats)).rejects.toThrow(`SAE ${at('none')}: no such file or folder`);
  const file = at('other', 'b.bin');
  await expect(openSae(file, formats)).rejects.toThrow(refused(file, '"b.bin"'));
  await expect(openSae(putRaw('raw'))).rejects.toThrow(
    new InputError(`SAE ${at('raw')}: expected a folder with ${known}, found "shape.txt, weights.raw"`),
  );
});
