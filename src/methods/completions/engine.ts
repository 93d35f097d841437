/**
 * Where a model's completions come from, and its residuals: this machine, or a server that serves the same model.
 * Knows neither files nor network.
 */
import type { Steering } from '../steering/steer.ts';
import type { Sampler, SamplerOptions } from './sample.ts';

export interface Engine {
  /** what it is, for people */
  readonly name: string;
  /**
   * Looks, once, whether it is the model of the local files, and steers as they would at `resid_post layer` where
   * that is given. Throws InputError where it is not.
   */
  ready(layer?: number): Promise<void>;
  /** Whether it makes this change to the residual stream, once it is ready; undefined: nothing is changed. */
  makes(steering: Steering | undefined): boolean;
  /** Throws InputError where it has no such site, or cannot be reached. */
  sampler(options: SamplerOptions): Promise<Sampler>;
  /** Residuals at `resid_post layer`. Throws InputError where it has no such site, or tells none. */
  residuals(layer: number): Promise<ResidualCapture>;
}

export interface ResidualCapture {
  /** a [T, d] of the tokens (ids), in the stream's own units; with `added` [d] at each of them, default nothing */
  run(ids: readonly number[], added?: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}
