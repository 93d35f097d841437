/** Windows of the upper layers, as Qwen's configs say them. */
import { z } from 'zod';
import { size, windowFields, windowsOf } from '../decoderConfig.ts';

export const qwenWindowFields = {
  ...windowFields,
  sliding_window: size.nullable().default(4096),
  use_sliding_window: z.boolean().default(false),
  max_window_layers: z.number().int().nonnegative().default(28),
};
type Fields = z.output<z.ZodObject<typeof qwenWindowFields>> & { readonly num_hidden_layers: number };

/** The window of each layer: none unless it is switched on, then by `layer_types`, else from `max_window_layers` up. */
export function qwenWindows(c: Fields, issues: z.RefinementCtx): (number | undefined)[] {
  const sliding_window = c.use_sliding_window ? c.sliding_window : null;
  const isSliding = (layer: number) => sliding_window !== null && layer >= c.max_window_layers;
  return windowsOf({ ...c, sliding_window }, isSliding, issues);
}
