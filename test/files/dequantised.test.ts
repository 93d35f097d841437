import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { packings } from '../../src/files/dequantise.ts';
import {
  type Dequantising,
  defaultCacheDir,
  dequantiseOnce,
  type PlannedTensor,
} from '../../src/files/dequantised.ts';
import { readGguf } from '../../src/files/gguf.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { sizeOf } from '../../src/tensor.ts';
import { bundle } from '../support/bundle.ts';
import { temporaryFolder } from '../support/folder.ts';
import { floatTensor, ggufBytes, packedTensor, type TestTensor } from '../support/ggufWriter.ts';
import { realModel, shared } from '../support/shared.ts';

const at = temporaryFolder();

async function gguf(tensors: readonly TestTensor[]) {
  writeFileSync(at('model.gguf'), ggufBytes({ tensors }));
  return readGguf(at('model.gguf'));
}

const planOf = (names: Iterable<string>): PlannedTensor[] =>
  [...names].map((name) => ({ target: `hf.${name}`, source: name }));

async function valuesOf(path: string, name: string): Promise<Float32Array> {
  return (await readTensor((await openSafetensors(path)).get(name)!)).data as Float32Array;
}

/** Whether `dequantiseOnce` made the file, and where it is. */
async function request(options: Omit<Dequantising, 'cacheDir'>): Promise<{ path: string; made: boolean }> {
  let made = false;
  const onProgress = () => {
    made = true;
  };
  return { path: await dequantiseOnce({ cacheDir: at('cache'), onProgress, ...options }), made };
}

const two = [floatTensor('norm', [3], [1, -0, 3]), packedTensor('w', 'Q4_0', [4, 64])];

describe('the cache of dequantised files', () => {
  it('holds the planned tensors as float32, in the order of the plan', async () => {
    const file = await gguf([...two, packedTensor('unused', 'Q8_0', [1, 32])]);
    const seen: number[][] = [];
    const plan = planOf(['w', 'norm']);
    const path = await dequantiseOnce({
      gguf: file,
      plan,
      cacheDir: at('cache'),
      onProgress: (...p) => seen.push(p),
    });
    expect(path.startsWith(at('cache/model-'))).toBe(true);
    const tensors = await openSafetensors(path);
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['hf.w', 'f32', [4, 64]],
      ['hf.norm', 'f32', [3]],
    ]);
    const expected = new Float32Array(256);
    packings.Q4_0.dequantise(two[1]!.data, expected);
    expect(await valuesOf(path, 'hf.w')).toEqual(expected);
    expect(await valuesOf(path, 'hf.norm')).toEqual(Float32Array.of(1, -0, 3));
    expect(seen).toEqual([
      [1024, 1036],
      [1036, 1036],
    ]);
  });

  it('undoes the row permutation: rows [n, hd/2, 2] become [n, 2, hd/2]', async () => {
    // Two heads of four rows [r, 10 r]; llama.cpp stores a head's rows 0 1 2 3 as 0 2 1 3.
    const stored = [0, 2, 1, 3, 4, 6, 5, 7];
    const file = await gguf([
      floatTensor(
        'q',
        [8, 2],
        stored.flatMap((r) => [r, 10 * r]),
      ),
      floatTensor('bias', [8], stored),
    ]);
    const plan = planOf(['q', 'bias']).map((planned) => ({ ...planned, unpermuteHeads: 2 }));
    const { path } = await request({ gguf: file, plan });
    const rows = [0, 1, 2, 3, 4, 5, 6, 7];
    expect([...(await valuesOf(path, 'hf.q'))]).toEqual(rows.flatMap((r) => [r, 10 * r]));
    expect([...(await valuesOf(path, 'hf.bias'))]).toEqual(rows);
  });

  it('takes tensors larger than a piece, permuted or not, and blocks that span rows of a bias', async () => {
    const [heads, size, width] = [3, 1366, 1152];
    const shape = [heads * size, width];
    const file = await gguf([
      packedTensor('q', 'Q8_0', shape, (i) => (i * 31) % 113),
      packedTensor('bias', 'Q4_K', [768]),
    ]);
    const whole = new Float32Array(heads * size * width);
    packings.Q8_0.dequantise(readFileSync(file.path).subarray(file.tensors.get('q')!.offset), whole);
    const bias = new Float32Array(768);
    packings.Q4_K.dequantise(readFileSync(file.path).subarray(file.tensors.get('bias')!.offset), bias);
    const plan = [
      { target: 'plain', source: 'q' },
      { target: 'q', source: 'q', unpermuteHeads: heads },
      { target: 'bias', source: 'bias', unpermuteHeads: heads },
    ];
    const { path } = await request({ gguf: file, plan });
    expect(Buffer.compare(bytesOf(await valuesOf(path, 'plain')), bytesOf(whole))).toBe(0);
    expect(
      Buffer.compare(bytesOf(await valuesOf(path, 'q')), bytesOf(reversed(whole, heads, size, width))),
    ).toBe(0);
    expect(await valuesOf(path, 'bias')).toEqual(reversed(bias, heads, 256, 1));
  });

  it('is used again, and not for another plan or another file', async () => {
    const file = await gguf(two);
    const plan = planOf(['w', 'norm']);
    const first = await request({ gguf: file, plan });
    expect(await request({ gguf: file, plan })).toEqual({ ...first, made: false });
    const other = await request({ gguf: file, plan: [{ ...plan[0]!, unpermuteHeads: 2 }, plan[1]!] });
    utimesSync(file.path, 1, 1);
    const touched = await request({ gguf: file, plan });
    const changed = await request({
      gguf: await gguf([two[0]!, packedTensor('w', 'Q4_0', [4, 64], (i) => i % 3)]),
      plan,
    });
    expect([first.made, other.made, touched.made, changed.made]).toEqual([true, true, true, true]);
    expect(new Set([first.path, other.path, touched.path, changed.path]).size).toBe(4);
  });

  it('refuses a plan that does not fit', async () => {
    const file = await gguf(two);
    const refused = async (plan: PlannedTensor[], message: RegExp) => {
      await expect(request({ gguf: file, plan })).rejects.toThrow(message);
      await expect(request({ gguf: file, plan })).rejects.toThrow(InputError);
    };
    await refused([{ target: 'a', source: 'none' }], /expected a tensor "none", found none/);
    await refused(
      [
        { target: 'a', source: 'w' },
        { target: 'a', source: 'norm' },
      ],
      /two tensors are to be called "a"/,
    );
    for (const unpermuteHeads of [0, -1, 0.5, 4, 3])
      await refused(
        [{ target: 'a', source: 'w', unpermuteHeads }],
        /"w": expected rows in .* heads of even size, found 4 rows/,
      );
    expect(existsSync(at('cache'))).toBe(false);
  });

  it('says that a GGUF file was cut since its header was read, and leaves nothing', async () => {
    const file = await gguf([...two, packedTensor('v', 'Q8_0', [512, 4096])]);
    truncateSync(file.path, 2 ** 20);
    await expect(request({ gguf: file, plan: planOf(['w', 'v']) })).rejects.toThrow(
      /model\.gguf: truncated: expected/,
    );
    expect(readdirSync(at('cache'))).toEqual([]);
  });

  it('says that the disk has not the space, and leaves nothing', async () => {
    const elements = 2 ** 40;
    const file = await gguf([{ name: 'w', type: 'Q2_K', shape: [0], data: new Uint8Array(0) }]);
    truncateSync(file.path, file.dataStart + (elements / 256) * 84);
    const large = { ...file.tensors.get('w')!, shape: [elements], bytes: (elements / 256) * 84 };
    const vast = { ...file, tensors: new Map([['w', large]]) };
    const message =
      /cache: not enough disk space for the float32 copy of .*: expected 4398046511104 bytes, found \d+/;
    await expect(request({ gguf: vast, plan: planOf(['w']) })).rejects.toThrow(message);
    expect(readdirSync(at('cache'))).toEqual([]);
  });

  it('says that its folder cannot be made', async () => {
    writeFileSync(at('cache'), 'a file in the way');
    await expect(request({ gguf: await gguf(two), plan: planOf(['w']) })).rejects.toThrow(InputError);
    rmSync(at('cache'));
    writeFileSync(at('wall'), '');
    const options = { gguf: await gguf(two), plan: planOf(['w']), cacheDir: at('wall/cache') };
    await expect(dequantiseOnce(options)).rejects.toThrow(InputError);
  });
});

/** The definition, as transformers writes it: w.reshape(n, hd/2, 2, in).swapaxes(1, 2).reshape(out, in). */
function reversed(w: Float32Array, heads: number, size: number, width: number): Float32Array {
  const out = new Float32Array(w.length);
  let next = 0;
  for (let n = 0; n < heads; n++)
    for (let j = 0; j < 2; j++)
      for (let i = 0; i < size / 2; i++)
        for (let c = 0; c < width; c++) out[next++] = w[((n * (size / 2) + i) * 2 + j) * width + c]!;
  return out;
}

const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

describe('a damaged cache file', () => {
  const plan = planOf(['norm', 'w']);
  async function damaged(damage: (path: string) => void, requests = 1) {
    const file = await gguf(two);
    let path = '';
    for (let i = 0; i < requests; i++) ({ path } = await request({ gguf: file, plan }));
    const sound = readFileSync(path);
    damage(path);
    const again = await request({ gguf: file, plan });
    return { ...again, restored: readFileSync(path).equals(sound) };
  }
  const flip = (position: number) => (path: string) => {
    const bytes = readFileSync(path);
    const i = position < 0 ? bytes.length + position : position;
    bytes[i] = bytes[i]! ^ 1;
    writeFileSync(path, bytes);
  };

  const replace = (from: string, to: string) => (path: string) => {
    const text = readFileSync(path, 'latin1');
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to), 'latin1');
  };

  it.each<[string, (path: string) => void]>([
    ['empty', (path) => truncateSync(path, 0)],
    ['cut', (path) => truncateSync(path, readFileSync(path).length - 1)],
    ['longer', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(1)]))],
    ['of another header length', flip(1)],
    ['of another shape', replace('[4,64]', '[8,32]')],
    ['of another dtype', replace('"F32"', '"I32"')],
    ['of another name', replace('hf.norm', 'hf.Norm')],
    ['of another source', replace('model.gguf', 'mode1.gguf')],
    ['all zeros', (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length))],
    ['something else', (path) => writeFileSync(path, 'hello')],
  ])('that is %s is made again', async (_, damage) => {
    expect(await damaged(damage)).toMatchObject({ made: true, restored: true });
  });

  it.each<[string, (path: string) => void]>([
    ['a bit', flip(-3)],
    [
      'a block of zeros',
      (path) => {
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0, bytes.length - 600, bytes.length - 88));
      },
    ],
  ])('whose data changed by %s is made again', async (_, damage) => {
    expect(await damaged(damage)).toMatchObject({ made: true, restored: true });
    expect(await damaged(() => {})).toMatchObject({ made: false, restored: true });
  });

  it('that changed after this process found it sound is made again', async () => {
    expect(await damaged(flip(-3), 2)).toMatchObject({ made: true, restored: true });
  });
});

describe('several processes', () => {
  let modules = '';
  let urls: string[] = [];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    modules = mkdtempSync(join(tmpdir(), 'culprit-bundle-'));
    urls = await bundle(['files/dequantised.ts', 'files/gguf.ts'], modules);
  });
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(modules, { recursive: true, force: true });
  });

  /**
   * A process that dequantises, blocking its event loop for `pause` ms at each piece; it prints what
   * happens.
   */
  function start(pause: number): ChildProcess & { readonly printed: () => string[] } {
    const script = `
      import { dequantiseOnce } from '${urls[0]}';
      import { readGguf } from '${urls[1]}';
      const gguf = await readGguf(${JSON.stringify(at('model.gguf'))});
      const plan = [...gguf.tensors.keys()].map((source) => ({ target: source, source }));
      const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      const onProgress = (done, total) => { console.log('piece'); block(${pause}); };
      const onWait = () => console.log('waits');
      const cacheDir = ${JSON.stringify(at('cache'))};
      console.log(await dequantiseOnce({ gguf, plan, cacheDir, onProgress, onWait }));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    return Object.assign(child, { printed: () => text.split('\n').slice(0, -1) });
  }

  const plan = ['a', 'b', 'c'].map((name) => ({ target: name, source: name }));
  const model = () => gguf(['a', 'b', 'c'].map((name) => packedTensor(name, 'Q6_K', [64, 256])));

  it('that ask at the same time: one works, the others wait', async () => {
    await model();
    const racers = [start(200), start(200), start(200)];
    await Promise.all(racers.map((racer) => once(racer, 'close')));
    const printed = racers.map((racer) => racer.printed());
    const path = printed[0]!.at(-1)!;
    expect(printed.filter((lines) => lines.includes('piece'))).toEqual([['piece', 'piece', 'piece', path]]);
    for (const lines of printed) {
      expect(lines.at(-1)).toBe(path);
      if (!lines.includes('piece')) expect([[path], ['waits', path]]).toContainEqual(lines);
    }
    expect(printed.some((lines) => lines.includes('waits'))).toBe(true);
    expect([...(await openSafetensors(path)).keys()]).toEqual(['a', 'b', 'c']);
    expect(readdirSync(at('cache'))).toHaveLength(1);
  });

  it('of which one is killed at work: the next takes over at once and cleans up', async () => {
    const file = await model();
    const victim = start(60_000);
    await once(victim.stdout!, 'data');
    victim.kill('SIGKILL');
    await once(victim, 'close');
    expect(readdirSync(at('cache')).map((name) => /\.(lock|tmp)$/.exec(name)?.[1])).toEqual(['tmp', 'lock']);
    const startTime = performance.now();
    const { path, made } = await request({ gguf: file, plan });
    expect(made).toBe(true);
    expect(performance.now() - startTime).toBeLessThan(10_000);
    expect(readdirSync(at('cache'))).toEqual([path.slice(at('cache').length + 1)]);
    expect((await valuesOf(path, 'c')).length).toBe(64 * 256);
  });

  it('of which one is killed while another waits: the other takes over', async () => {
    await model();
    const victim = start(60_000);
    await once(victim.stdout!, 'data');
    const heir = start(0);
    await once(heir.stdout!, 'data');
    expect(heir.printed()).toEqual(['waits']);
    victim.kill('SIGKILL');
    await once(heir, 'close');
    expect(heir.printed().slice(0, 4)).toEqual(['waits', 'piece', 'piece', 'piece']);
    expect(readdirSync(at('cache'))).toHaveLength(1);
  });

  it('of which one left a lock and no more: it is waited for, unless it is old', async () => {
    const file = await model();
    const { path } = await request({ gguf: file, plan });
    const lock = `${path}.lock`;
    const ask = async () => {
      rmSync(path);
      let waited = false;
      const onWait = () => {
        waited = true;
        rmdirSync(lock);
      };
      await dequantiseOnce({ gguf: file, plan, cacheDir: at('cache'), onWait });
      return waited;
    };
    mkdirSync(lock);
    expect(await ask()).toBe(true);
    mkdirSync(lock);
    utimesSync(lock, 1, 1);
    expect(await ask()).toBe(false);
    expect(readdirSync(at('cache'))).toHaveLength(1);
  });

  it('in one of which two parts ask at the same time: it is made once', async () => {
    const file = await model();
    const answers = await Promise.all([request({ gguf: file, plan }), request({ gguf: file, plan })]);
    expect(answers.map(({ made }) => made).sort()).toEqual([false, true]);
    expect(answers[0].path).toBe(answers[1].path);
  });

  it('of which one died long ago: its temporary goes, those of the living and of other machines stay', async () => {
    const file = await model();
    const { path } = await request({ gguf: file, plan });
    rmSync(path);
    const victim = start(60_000);
    await once(victim.stdout!, 'data');
    const living = readdirSync(at('cache')).find((name) => name.endsWith('.tmp'))!;
    const dead = living.replace(`-${victim.pid}-`, `-${spawnSync('true').pid}-`);
    const foreign = dead.replace(/\.[0-9a-f]{8}-/, '.00000000-');
    for (const name of [dead, foreign, '.notes.tmp']) writeFileSync(at('cache', name), 'half');
    await request({ gguf: file, plan: plan.slice(1) });
    const left = readdirSync(at('cache'));
    expect(left).not.toContain(dead);
    expect(left).toEqual(expect.arrayContaining([living, foreign, '.notes.tmp']));
    victim.kill('SIGKILL');
    await once(victim, 'close');
  });
});

describe('the default folder of the cache', () => {
  it.each([
    [{ CULPRIT_CACHE: '/c', XDG_CACHE_HOME: '/x' }, '/c'],
    [{ CULPRIT_CACHE: '', XDG_CACHE_HOME: '/x' }, '/x/culprit'],
    [{ XDG_CACHE_HOME: 'relative' }, join(homedir(), '.cache/culprit')],
    [{}, join(homedir(), '.cache/culprit')],
  ])('for %j', (env, folder) => {
    expect(defaultCacheDir(env)).toBe(folder);
  });
});

describe.skipIf(!shared)('needs ../shared: the real model', () => {
  it('is dequantised, and found again', async () => {
    const file = await readGguf(`${realModel()}/SmolLM2-135M-Instruct.Q4_1.gguf`);
    const names = [...file.tensors.keys()].filter((name) => /^(token_embd|blk\.7)\./.test(name));
    const plan = planOf(names);
    const { path } = await request({ gguf: file, plan });
    expect(names).toHaveLength(10);
    for (const name of names) {
      const { type, shape, offset, bytes } = file.tensors.get(name)!;
      const expected = new Float32Array(sizeOf(shape));
      packings[type].dequantise(readFileSync(file.path).subarray(offset, offset + bytes), expected);
      expect(Buffer.compare(bytesOf(await valuesOf(path, `hf.${name}`)), bytesOf(expected))).toBe(0);
    }
    expect(await request({ gguf: file, plan })).toEqual({ path, made: false });
  });
});
