/**
 * What this machine can do, measured in the same process: plain matrix products and reading memory; and
 * memory in use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { input, matmul, slice } from '../src/graph/build.ts';
import type { Node } from '../src/graph/node.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { tensor } from '../src/tensor.ts';

/** Work that can be done again and again, beside others that do the same. */
export interface Work {
  readonly unit: string;
  /** Does it once: units a second. */
  rate(): Promise<number>;
  close(): Promise<void>;
}

const side = 1024;

const chained = 8;

/**
 * GFLOP/s of 1024³ float32 products, a chain of them in one run, so that passing values in and out does not
 * count; best of five runs.
 */
export async function productRate(runtime: Runtime): Promise<number> {
  const b = input('b', [side, side]);
  let y: Node = input('a', [side, side]);
  for (let i = 0; i < chained; i++) y = matmul(y, b);
  const corner = slice(slice(y, 0, 0, 1), 1, 0, 1);
  const session = await runtime.load({ outputs: { corner } }, new Map());
  const square = () => tensor('f32', [side, side], new Float32Array(side * side).fill(1 / side));
  const feeds = { a: square(), b: square() };
  let best = 0;
  for (let round = 0; round < 6; round++) {
    const start = performance.now();
    await session.run(feeds);
    if (round > 0)
      best = Math.max(best, (chained * 2 * side ** 3) / ((performance.now() - start) / 1000) / 1e9);
  }
  await session.release();
  return best;
}

function ofStatus(field: string): number | undefined {
  try {
    const found = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(found?.[1]) / 1024;
  } catch {
    return undefined;
  }
}

/** Peak resident memory of this process so far, or since it was forgotten, in MB; undefined where the system does not tell. */
export const peakMemory = (): number | undefined => ofStatus('VmHWM');

/** Resident memory of this process now, in MB. */
export const memoryNow = (): number | undefined => ofStatus('VmRSS');

/** Peak memory counts from now on, where the system allows it. */
export function forgetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    return;
  }
}
