/** What of this machine the work may use: where it keeps dequantised weights, how much memory it holds. */
import { freemem } from 'node:os';
import { InputError } from '../../errors.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { MemoryLimit, Runtime, Sweep } from '../../runtime/runtime.ts';
import { type Clock, systemClock } from '../store/runRecord.ts';
import { type Progress, silent } from './progress.ts';

export interface Machine {
  /** where dequantised weights are kept; default $CULPRIT_CACHE, else the user's cache folder */
  readonly cacheDir?: string | undefined;
  /**
   * bytes that the work may hold, for a model that is larger to be run part by part; default three quarters of what
   * is free
   */
  readonly memory?: number | undefined;
}

/** Of the memory that is free, where nothing is said. */
const shareOfFree = 0.75;
/** What a process holds without a model: Node, ONNX Runtime, a tokenizer. */
const ownBytes = 330e6;
const leastMemory = 400e6;
/** Of what is left, what weights and kept values take; the rest is for what a part computes. */
const shares = { weights: 0.5, values: 0.2 };

/** 8.2 GB, in powers of ten. */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** What is told of the first sweep. */
function sweepNote({ passes, bytes, reading, computing }: Sweep, memory: number): string {
  const limits = reading > computing ? 'reading' : 'computing';
  return `The model is larger than the memory it may take (${gigabytes(memory)}, --memory): it is run part by part. The first time through ${gigabytes(bytes)} of weights, shared by ${passes} ${passes === 1 ? 'pass' : 'passes'}, took ${seconds(reading)} to read and ${seconds(computing)} to compute: ${limits} is what limits.`;
}

/** What is told of the first prompt that is read for sampling. */
function mappedNote(bytes: number, milliseconds: number, memory: number): string {
  return `Sampling from a model that is larger than the memory it may take (${gigabytes(memory)}, --memory): each step, of a token for every completion that grows, goes through ${gigabytes(bytes)} of weights in their files. The first prompt took ${seconds(milliseconds)}: expect about that for each step.`;
}

/** Throws InputError for less than a process needs without a model. */
export function checkMemory({ memory = leastMemory }: Machine): void {
  if (memory < leastMemory)
    throw new InputError(
      `--memory: expected at least ${Math.ceil(leastMemory / 1e6)}M, found ${Math.floor(memory / 1e6)}M`,
    );
}

function limitOf(memory: number, progress: Progress, clock: Clock): MemoryLimit {
  const left = memory - ownBytes;
  const told = { sweep: false, mapped: false };
  return {
    weights: Math.floor(left * shares.weights),
    values: Math.floor(left * shares.values),
    watch: {
      now: () => clock().getTime(),
      onSweep(sweep) {
        if (!told.sweep) progress.note(sweepNote(sweep, memory));
        told.sweep = true;
      },
      onMapped({ bytes, milliseconds }) {
        if (!told.mapped) progress.note(mappedNote(bytes, milliseconds, memory));
        told.mapped = true;
      },
    },
  };
}

export interface RuntimeOptions extends Machine {
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

/** A runtime that keeps to the memory it is given. Throws InputError where that is too little for any. */
export function openRuntime({ memory, progress = silent, clock = systemClock }: RuntimeOptions): Runtime {
  checkMemory({ memory });
  const bytes = memory ?? Math.max(leastMemory, freemem() * shareOfFree);
  return nodeRuntime({ limit: limitOf(bytes, progress, clock) });
}
