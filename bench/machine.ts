/** What this machine can do, measured in the same process: plain matrix products and reading memory; and memory in use. */
import { readFileSync } from 'node:fs';
import { add, input, matmul } from '../src/graph/build.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { tensor } from '../src/tensor.ts';

const side = 1024;

/** GFLOP/s of 1024³ float32 products, best of a few short rounds. */
export async function productRate(runtime: Runtime): Promise<number> {
  const y = matmul(input('a', [side, side]), input('b', [side, side]));
  const session = await runtime.load({ outputs: { y } }, new Map());
  const square = () => tensor('f32', [side, side], new Float32Array(side * side).fill(0.5));
  const feeds = { a: square(), b: square() };
  const empty = await emptyRunSeconds(runtime);
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let i = 0; i < 4; i++) await session.run(feeds);
    const seconds = (performance.now() - start) / 1000 / 4 - empty;
    best = Math.max(best, (2 * side ** 3) / seconds / 1e9);
  }
  await session.release();
  return best;
}

/** Seconds to pass two such matrices to the runtime and one back, without the product. */
async function emptyRunSeconds(runtime: Runtime): Promise<number> {
  const a = input('a', [side, side]);
  const session = await runtime.load({ outputs: { y: add(a, input('b', [side, side])) } }, new Map());
  const square = tensor('f32', [side, side], new Float32Array(side * side));
  const feeds = { a: square, b: square };
  await session.run(feeds);
  const start = performance.now();
  for (let i = 0; i < 8; i++) await session.run(feeds);
  await session.release();
  return (performance.now() - start) / 1000 / 8;
}

/** Peak resident memory of this process so far, in MB; undefined where the system does not tell. */
export function peakMemory(): number | undefined {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  } catch {
    return undefined;
  }
}
