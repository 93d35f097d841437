/** What is added to the residual stream, as vllm-lens takes it. docs/engines.md. */
import type { Steering } from '../../../methods/steering/steer.ts';
import { toWire } from './wireTensor.ts';

/** Whether a change is an added vector and nothing else: a projection held depends on the token it is held at. */
export const isAdded = (steering: Steering | undefined): boolean =>
  steering === undefined || (steering.held.length === 0 && steering.subtracted === undefined);

/** One vector [d] at each of `count` places from `first` on. */
function atPlaces(add: Float32Array, first: number, count: number) {
  const rows = new Float32Array(count * add.length);
  for (let i = 0; i < count; i++) rows.set(add, i * add.length);
  return {
    activations: toWire(rows, [1, count, add.length]),
    position_indices: Array.from({ length: count }, (_, i) => first + i),
  };
}

function placed({ add, tokens }: Steering, prompt: number, maxTokens: number) {
  switch (tokens) {
    case 'all':
      return { activations: toWire(add, [1, add.length]), position_indices: null };
    case 'prompt':
      return atPlaces(add, 0, prompt);
    case 'completion':
      return atPlaces(add, prompt, maxTokens);
  }
}

/**
 * The field of a request for `steering` at `resid_post layer`, of a prompt of so many tokens: a list with one vector,
 * as JSON. The first token of the completion stands at place `prompt`.
 */
export const steeringField = (steering: Steering, layer: number, prompt: number, maxTokens: number): string =>
  JSON.stringify([
    { ...placed(steering, prompt, maxTokens), layer_indices: [layer], scale: 1, norm_match: false },
  ]);
