/**
 * `culprit sae train` on a tiny model: the folder it leaves, going on after kill -9 at any point, and what
 * it refuses.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors, readTensor } from '../../../src/files/safetensors.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { runSaeTrain, type SaeTrainRequest } from '../../../src/study/sae/saeTrainRun.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { draw } from '../../support/opCases.ts';
import { put, putModel, width } from '../../support/tinyFolder.ts';

const folder = temporaryFolder();
const command = resolve(import.meta.dirname, '../../../scripts/culprit.mjs');

/** Texts of random letters. */
function texts(count: number, seed: number): { text: string }[] {
  const r = draw(seed);
  return Array.from({ length: count }, () => ({
    text: Array.from({ length: 30 + r.below(60) }, () => String.fromCharCode(97 + r.below(26))).join(''),
  }));
}

async function request(over: Partial<SaeTrainRequest> = {}): Promise<SaeTrainRequest> {
  return {
    model: await putModel(folder('model')),
    site: 1,
    corpora: [
      put(folder('a.jsonl'), texts(12, 1)),
      put(folder('b.jsonl'), [
        ...texts(8, 2),
        { messages: [{ role: 'user', content: 'And then it was late?' }] },
      ]),
    ],
    latents: 40,
    k: 4,
    tokens: 64 * 40,
    batch: 64,
    rate: 0.01,
    out: folder('sae'),
    ...over,
  };
}

const weightsIn = (out: string) => readFileSync(join(out, 'sae_weights.safetensors'));

describe('runSaeTrain', () => {
  it('leaves an SAE that openSae reads, honest about itself, and nothing else', async () => {
    const steps: number[] = [];
    const notes: string[] = [];
    const asked = await request({
      onStep: ({ step }) => steps.push(step),
      progress: {
        stage: () => ({ advance() {}, end() {} }),
        note: (line) => notes.push(line),
      },
    });
    const result = await runSaeTrain(asked);
    expect(steps).toHaveLength(40);
    expect(readdirSync(asked.out).sort()).toEqual(['cfg.json', 'sae_weights.safetensors']);
    const { metadata, ...config } = JSON.parse(readFileSync(folder('sae', 'cfg.json'), 'utf8'));
    expect(config).toMatchObject({ architecture: 'topk', d_in: width, d_sae: 40, k: 4, dtype: 'float32' });
    expect(metadata).toMatchObject({ model_name: 'model', hook_name: 'blocks.1.hook_resid_post' });
    const { culprit } = metadata;
    expect(culprit.tokens_harvested).toBe(result.harvested);
    expect(culprit.epochs).toBeCloseTo((64 * 40) / result.harvested);
    expect(notes).toEqual([expect.stringMatching(/tokens harvested; training on 2,560 tokens is .* epochs/)]);
    expect(culprit.corpora).toEqual([
      { name: 'a.jsonl', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { name: 'b.jsonl', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(JSON.stringify(metadata)).not.toContain(folder());
    const sae = await openSae(asked.out);
    expect(sae).toMatchObject({ kind: { name: 'topk' }, width, latents: 40 });
    expect(sae.trainedOn.site).toEqual({ kind: 'resid_post', layer: 1 });
    for (const norm of await sae.decoderNorms()) expect(norm).toBeCloseTo(1, 5);
  });

  it('jumprelu is read back as one', async () => {
    const asked = await request({ kind: 'jumprelu', tokens: 64 * 5 });
    await runSaeTrain(asked);
    const sae = await openSae(asked.out);
    expect(sae.kind.name).toBe('jumprelu');
    const stored = (await openSafetensors(folder('sae', 'sae_weights.safetensors'))).get('threshold')!;
    for (const threshold of toFloat32(await readTensor(stored))) expect(threshold).toBeGreaterThan(0);
  });

  it('finds itself finished; another SAE stays unless told to', async () => {
    const asked = await request({ tokens: 128 });
    await runSaeTrain(asked);
    const before = weightsIn(asked.out);
    expect((await runSaeTrain(asked)).upToDate).toBe(true);
    await expect(runSaeTrain({ ...asked, seed: 1 })).rejects.toThrow(/holds another SAE; .*--overwrite/);
    expect(weightsIn(asked.out)).toEqual(before);
    await runSaeTrain({ ...asked, seed: 1, overwrite: true });
    expect(weightsIn(asked.out)).not.toEqual(before);
  });

  it('a named harvest is kept and used again', async () => {
    const asked = await request({ tokens: 128, harvestDir: folder('rows') });
    await runSaeTrain(asked);
    const harvested: string[] = [];
    await runSaeTrain({
      ...asked,
      out: folder('other'),
      seed: 3,
      progress: {
        stage: (label) => {
          harvested.push(label);
          return { advance() {}, end() {} };
        },
        note() {},
      },
    });
    expect(harvested).toEqual([]);
    expect(existsSync(folder('rows', '000000.safetensors'))).toBe(true);
  });

  it('a named folder with anything else in it is refused and left alone', async () => {
    const asked = await request({ tokens: 128, harvestDir: folder('rows') });
    put(folder('rows', 'mine.txt'), 'keep');
    await expect(runSaeTrain(asked)).rejects.toThrow(/rows: holds other files/);
    expect(readFileSync(folder('rows', 'mine.txt'), 'utf8')).toBe('keep');
    await runSaeTrain({ ...asked, harvestDir: folder('rows2') });
    await expect(
      runSaeTrain({ ...asked, site: 0, out: folder('o'), harvestDir: folder('rows2') }),
    ).rejects.toThrow(/rows2: holds another harvest/);
    expect(existsSync(folder('rows2', '000000.safetensors'))).toBe(true);
  });

  it.each<[string, Partial<SaeTrainRequest>, string]>([
    ['more active latents than there are', { k: 41 }, 'sae train: k 41: there are 40 latents'],
    ['fewer tokens than a step', { tokens: 63 }, 'sae train: 63 tokens: a step takes 64'],
    ['no such block', { site: 3 }, 'site resid_post 3: '],
    ['no corpus', { corpora: [] }, 'expected a corpus'],
    ['no such model', { model: '/nowhere' }, 'model /nowhere: no such file or folder'],
  ])('%s is refused in a line, and nothing is written', async (_, over, message) => {
    const asked = await request(over);
    await expect(runSaeTrain(asked)).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringContaining(message),
    });
    expect(existsSync(asked.out)).toBe(false);
  });

  it('a corpus without tokens is refused', async () => {
    const asked = await request({ corpora: [put(folder('c.jsonl'), [{ text: '  ' }])] });
    await expect(runSaeTrain(asked)).rejects.toThrow(/c\.jsonl: no tokens to train on/);
  });
});

describe('the command line', () => {
  const whole = ['--model', 'm', '--site', '1', '--corpus', 'c', '--latents', '4', '--out', 'o'];

  it.each<[string, string[], RegExp]>([
    ['--l0 with topk', ['--tokens', '1e3', '--l0', '8'], /--l0 is for --kind jumprelu; use --k for topk/],
    ['a fraction of a token', ['--tokens', '1.5'], /Expected a whole number of at least 1, such as 1e6/],
    ['no rate', ['--tokens', '10', '--rate', '0'], /Expected a number above 0/],
    ['no tokens', [], /sae train: expected --tokens <count>, found none/],
  ])('%s is refused in a line', async (_, args, message) => {
    const { code, stderr } = await culpritHere(['sae', 'train', ...whole, ...args]);
    expect(stderr).toMatch(message);
    expect(stderr.trim()).not.toContain('\n');
    expect(code).toBe(2);
  });
});

/** Runs the command in a process of its own; kills it with -9 once `until` holds. */
async function killedOnce(args: readonly string[], until: () => boolean): Promise<number | null> {
  const child = spawn(process.execPath, [command, ...args], { stdio: 'ignore' });
  const ended = new Promise<number | null>((done) => child.on('exit', done));
  const timer = setInterval(() => {
    if (until()) child.kill('SIGKILL');
  }, 5);
  const code = await ended;
  clearInterval(timer);
  return code;
}

describe('killed with -9', () => {
  it('in the harvest and twice in training, it goes on and ends with the same bytes', async () => {
    const asked = await request({ corpora: [put(folder('long.jsonl'), texts(260, 5))], tokens: 64 * 300 });
    const args = (out: string) => [
      ...['sae', 'train', '--model', asked.model, '--site', '1', '--corpus', ...asked.corpora],
      ...['--latents', '40', '--k', '4', '--tokens', '19200', '--batch-tokens', '64', '--rate', '0.01'],
      ...['--checkpoint-seconds', '0', '--out', out],
    ];
    expect(await culpritHere(args(folder('whole')))).toMatchObject({ code: 0 });
    const work = (...parts: string[]) => folder('killed', 'work', ...parts);
    const has = (path: string) => existsSync(path);
    let saves = 0;
    let seen = '';
    const nextCheckpoint = () => {
      if (!has(work('checkpoint.safetensors'))) return false;
      const now = readFileSync(work('checkpoint.safetensors')).subarray(0, 400).toString();
      if (now !== seen) saves++;
      seen = now;
      return saves >= 2;
    };
    expect(
      await killedOnce(args(folder('killed')), () => has(work('harvest', '000000.safetensors'))),
    ).toBeNull();
    expect(has(work('checkpoint.safetensors'))).toBe(false);
    for (let kill = 0; kill < 2; kill++) {
      saves = 0;
      expect(await killedOnce(args(folder('killed')), nextCheckpoint)).toBeNull();
    }
    expect(await culpritHere(args(folder('killed')))).toMatchObject({ code: 0 });
    expect(weightsIn(folder('killed'))).toEqual(weightsIn(folder('whole')));
    expect(readFileSync(folder('killed', 'cfg.json'))).toEqual(readFileSync(folder('whole', 'cfg.json')));
    expect(readdirSync(folder('killed')).sort()).toEqual(['cfg.json', 'sae_weights.safetensors']);
  });
});
