/** Working files that tell when they were changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSealed, readSealedJson, writeSealed, writeSealedJson } from '../../src/files/sealed.ts';
import { tensor } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import { damage } from '../support/hostile.ts';

const at = temporaryFolder();

const tensors = {
  gradient: tensor('f32', [2, 3], Float32Array.of(1, -0, 3, 4, 5, 6)),
  ids: tensor('i32', [2], Int32Array.of(7, 8)),
};
const about = { about: '{"losses":[1.25]}', key: 'k' };

describe('sealed safetensors', () => {
  it('are read as they were written', async () => {
    await writeSealed(at('x'), tensors, about);
    const found = await readSealed(at('x'));
    expect(found?.metadata).toEqual(about);
    expect(Object.fromEntries(found!.tensors)).toEqual(tensors);
    expect(await readSealed(at('none'))).toBeUndefined();
  });

  it('count as not there when any byte was changed, or they have no hash', async () => {
    await writeSealed(at('x'), tensors, about);
    const whole = readFileSync(at('x'));
    const sound = await readSealed(at('x'));
    for (let i = 0; i < whole.length; i++) {
      const hurt = Buffer.from(whole);
      hurt[i] = hurt[i]! ^ 2;
      writeFileSync(at('x'), hurt);
      const found = await readSealed(at('x'));
      // A change between the tokens of the header changes nothing that is read.
      if (found !== undefined) expect(found).toEqual(sound);
    }
  });
});

describe('sealed JSON', () => {
  const value = { key: 'k', pages: [{ text: 'é\n', x: 0.1 }], n: null };

  it('is read as it was written', async () => {
    expect(await writeSealedJson(at('x'), { ...value, gone: undefined })).toEqual(value);
    expect(await readSealedJson(at('x'))).toEqual(value);
    expect(await readSealedJson(at('none'))).toBeUndefined();
  });

  it('counts as not there when it was changed in any way', async () => {
    await writeSealedJson(at('x'), value);
    const whole = readFileSync(at('x'));
    await fc.assert(
      fc.asyncProperty(damage(whole.length), async (hurt) => {
        const now = hurt(whole);
        writeFileSync(at('x'), now);
        expect(await readSealedJson(at('x'))).toEqual(now.equals(whole) ? value : undefined);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['empty', ''],
    ['no JSON', '{"key":'],
    ['as an older version wrote it', JSON.stringify(value)],
    ['nested thousands deep', '['.repeat(100_000) + ']'.repeat(100_000)],
  ])('that is %s counts as not there', async (_, text) => {
    writeFileSync(at('x'), text);
    expect(await readSealedJson(at('x'))).toBeUndefined();
  });
});
