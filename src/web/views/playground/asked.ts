/** What the playground's form asks for, as the address says it. */
import { type Prompt, promptText, type SteerBody } from '../../../results.ts';
import { dosesIn, queryOf } from '../../doseQuery.ts';
import { fixed, signed } from '../../format.ts';
import type { Query } from '../../routes.ts';

/** What stands in the form where the address says nothing. */
export interface Offered {
  readonly prompts: readonly Prompt[];
  readonly doses: SteerBody['latents'];
}

const usual = { max_tokens: 110, temperature: 1, seed: 1, model: 'subject' } as const;

const numbers = {
  temperature: { min: 0, max: 100, whole: false },
  max_tokens: { min: 1, max: 4096, whole: true },
  seed: { min: 0, max: 2 ** 31 - 1, whole: true },
} as const;

export const numberFields = [
  { name: 'temperature', label: 'temperature', step: 'any', ...numbers.temperature },
  { name: 'max_tokens', label: 'token limit', step: 1, ...numbers.max_tokens },
  { name: 'seed', label: 'seed', step: 1, ...numbers.seed },
] as const;

/** The usual one for what is none that the form takes. */
function numberIn(query: Query, name: keyof typeof numbers): number {
  const { min, max, whole } = numbers[name];
  const text = query[name];
  const value = Number(text);
  const fits = text !== undefined && value >= min && value <= max && (!whole || Number.isInteger(value));
  return fits ? value : usual[name];
}

/** A text as a prompt: one of the study's that says the same keeps its messages. */
const promptOf = (text: string, prompts: readonly Prompt[]): Prompt =>
  prompts.find((prompt) => promptText(prompt) === text) ?? text;

export const askedPrompt = (query: Query, { prompts }: Offered): string =>
  query.prompt ?? promptText(prompts[0] ?? '');

export function steerBodyIn(query: Query, offered: Offered): SteerBody {
  const asked = dosesIn(query);
  return {
    prompt: promptOf(askedPrompt(query, offered), offered.prompts),
    latents: asked.length > 0 ? asked : [...offered.doses],
    model: query.model === 'reference' ? 'reference' : 'subject',
    temperature: numberIn(query, 'temperature'),
    max_tokens: numberIn(query, 'max_tokens'),
    seed: numberIn(query, 'seed'),
  };
}

/** The address' part for all that was asked, so that it stays what it is when the study changes. */
export const queryFor = (body: SteerBody): Query => ({
  ...queryOf(body.latents),
  prompt: promptText(body.prompt),
  model: body.model,
  temperature: `${body.temperature}`,
  max_tokens: `${body.max_tokens}`,
  seed: `${body.seed}`,
});

/** In a line: whom it was asked of, what was added, and how it was drawn. */
export function captionOf({ model, latents, temperature, seed, max_tokens }: SteerBody): string {
  const added = latents.map(({ latent, dose }) => `latent ${latent} at ${signed(dose, 2)} s`).join(' and ');
  const drawn = `temperature ${fixed(temperature, 2)}, seed ${seed}, at most ${max_tokens} tokens`;
  return `The ${model}, steered along ${added}; ${drawn}.`;
}
