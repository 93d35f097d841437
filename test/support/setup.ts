/** The same random cases at every run, so that a failure is a change's own; FC_SEED=N draws others. */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20261122) });
