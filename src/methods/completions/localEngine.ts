/** The engine of this machine: the runtime runs the model's own files, whatever the change. */
import type { Model } from '../../models/decoder.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { residualPass } from '../site/residuals.ts';
import type { Engine } from './engine.ts';
import { sampler } from './sample.ts';

export const localEngine = (runtime: Runtime, model: Model): Engine => ({
  name: 'this machine',
  ready: async () => undefined,
  makes: () => true,
  sampler: (options) => sampler(runtime, model, options),
  async residuals(layer) {
    const pass = await residualPass(runtime, model, layer);
    return {
      async run(ids, added) {
        const { activation } = await pass.run(ids);
        return added === undefined ? activation : activation.map((x, i) => x + added[i % added.length]!);
      },
      release: () => pass.release(),
    };
  },
});
