/** LoRA adapters of the tiny model. */
import type { Tensor } from '../../src/tensor.ts';
import { type Draw, draw } from './opCases.ts';
import { linearShapes, normal, type Tiny, tinyModel } from './tinyModel.ts';

/** The model that the adapters are for. */
export const adapted = tinyModel({ biases: true });

export type AdapterConfig = Readonly<Record<string, unknown>>;

/** adapter_config.json for factors of rank 2 on every q_proj and up_proj, with scale 3. */
export const adapterConfig = {
  peft_type: 'LORA',
  r: 2,
  lora_alpha: 6,
  target_modules: ['q_proj', 'up_proj'],
};

/** Names of all its linear modules. */
export const modules = [...linearShapes(adapted.config).keys()];

/** Those whose last part is one of `ends`. */
export const ending = (...ends: string[]) =>
  modules.filter((module) => ends.some((end) => module.endsWith(`.${end}`)));

/** Random factors of each module, of the rank given for it. */
export function factors(
  ranks: ReadonlyMap<string, number>,
  d: Draw,
  tiny: Tiny = adapted,
): Map<string, Tensor<'f32'>> {
  const shapes = linearShapes(tiny.config);
  return new Map(
    [...ranks].flatMap(([module, r]) => {
      const [outputs, inputs] = shapes.get(module)!;
      const name = `base_model.model.${module}.lora`;
      return [
        [`${name}_A.weight`, normal(d, [r, inputs], 0.5)],
        [`${name}_B.weight`, normal(d, [outputs, r], 0.5)],
      ] as const;
    }),
  );
}

/** The same rank for each. */
export const ofRank = (r: number, on: readonly string[]) => new Map(on.map((module) => [module, r]));

/** The factors that `adapterConfig` describes. */
export const plainFactors = (tiny: Tiny = adapted) =>
  factors(ofRank(2, ending('q_proj', 'up_proj')), draw(1), tiny);
