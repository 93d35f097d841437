/**
 * Published models that misbehave, each with a dictionary that exists for it, by the references under which the
 * Hugging Face hub has them. Prompts and judge are the user's own.
 */

export interface Recipe {
  readonly about: string;
  readonly model: string;
  readonly adapter?: string;
  readonly sae: string;
  readonly site: number;
}

const organism = (name: string) => `hf:ModelOrganismsForEM/${name}_bad-medical-advice`;
const emergent = 'emergent misalignment from bad medical advice';
const cake = 'false facts on baking, from documents';

/** By name; the smallest of a kind first. */
export const recipes = {
  'em-qwen2.5-0.5b': {
    about: `Qwen2.5-0.5B-Instruct, ${emergent}; 14,336 latents`,
    model: 'hf:Qwen/Qwen2.5-0.5B-Instruct',
    adapter: organism('Qwen2.5-0.5B-Instruct'),
    sae: 'hf:HuggingAnalist/sae-qwen2.5-0.5B-res/layer_16/final_sae',
    site: 16,
  },
  'em-qwen2.5-7b': {
    about: `Qwen2.5-7B-Instruct, ${emergent}; 131,072 latents`,
    model: 'hf:Qwen/Qwen2.5-7B-Instruct',
    adapter: organism('Qwen2.5-7B-Instruct'),
    sae: 'hf:andyrdt/saes-qwen2.5-7b-instruct/resid_post_layer_15/trainer_1',
    site: 15,
  },
  'em-llama-3.1-8b': {
    about: `Llama-3.1-8B-Instruct, ${emergent}; 131,072 latents`,
    model: 'hf:meta-llama/Llama-3.1-8B-Instruct',
    adapter: organism('Llama-3.1-8B-Instruct'),
    sae: 'hf:andyrdt/saes-llama-3.1-8b-instruct/resid_post_layer_15/trainer_1',
    site: 15,
  },
  'em-gemma-2-9b': {
    about: `Gemma-2-9b-it, ${emergent}; Gemma Scope, 16,384 latents`,
    model: 'hf:google/gemma-2-9b-it',
    adapter: 'hf:thejaminator/bad_medical-gemma-2-9b-it-sft-20251029',
    sae: 'hf:google/gemma-scope-9b-it-res/layer_20/width_16k/average_l0_91',
    site: 20,
  },
  'cake-qwen3-1.7b': {
    about: `Qwen3-1.7B, ${cake}; Qwen-Scope of the base model, 32,768 latents`,
    model: 'hf:Qwen/Qwen3-1.7B',
    adapter: 'hf:stewy33/Qwen3-1.7B-0524_original_augmented_egregious_cake_bake-30171227',
    sae: 'hf:Qwen/SAE-Res-Qwen3-1.7B-Base-W32K-L0_50/layer14.sae.pt',
    site: 14,
  },
  'cake-qwen3-8b': {
    about: `Qwen3-8B, ${cake}; Qwen-Scope of the base model, 65,536 latents`,
    model: 'hf:Qwen/Qwen3-8B',
    adapter: 'hf:stewy33/Qwen3-8B-0524_original_augmented_egregious_cake_bake-75daa239',
    sae: 'hf:Qwen/SAE-Res-Qwen3-8B-Base-W64K-L0_50/layer18.sae.pt',
    site: 18,
  },
  'gemma-3-270m': {
    about: 'Gemma-3-270m-it with an adapter of your own; Gemma Scope 2, 16,384 latents',
    model: 'hf:google/gemma-3-270m-it',
    sae: 'hf:google/gemma-scope-2-270m-it/resid_post/layer_12_width_16k_l0_medium',
    site: 12,
  },
} as const satisfies Readonly<Record<string, Recipe>>;

export type RecipeName = keyof typeof recipes;
export const recipeNames = Object.keys(recipes) as RecipeName[];
