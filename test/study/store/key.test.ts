/** The key of a stage: what changes it, and what does not. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stageKey } from '../../../src/study/store/key.ts';

const parts = {
  options: { temperature: 1, stop: ['a', 'b'], nested: { x: null, y: [{ p: 1, q: true }] } },
  inputs: { model: 'aa', prompts: 'bb' },
  versions: { culprit: '1' },
};

/** The value with the fields of all its objects the other way round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([name, field]) => [name, turned(field)]));
}

it('is a SHA-256, the same whatever the order of fields', () => {
  expect(stageKey(parts)).toMatch(/^[0-9a-f]{64}$/);
  expect(stageKey(turned(parts) as typeof parts)).toBe(stageKey(parts));
  fc.assert(
    fc.property(fc.jsonValue(), (options) => {
      expect(stageKey({ ...parts, options: turned(options) })).toBe(stageKey({ ...parts, options }));
    }),
  );
});

it('stays what it was when the parts named the files of earlier stages for themselves', () => {
  const before =
    '{"inputs":{"model":"aa","prompts":"bb"},"options":{"nested":{"x":null,"y":[{"p":1,"q":true}]},' +
    '"stop":["a","b"],"temperature":1},"upstream":{},"versions":{"culprit":"1"}}';
  expect(stageKey(parts)).toBe(createHash('sha256').update(before).digest('hex'));
});

it('takes a field that is undefined for one that is absent', () => {
  expect(stageKey({ ...parts, options: { a: 1, b: undefined } })).toBe(
    stageKey({ ...parts, options: { a: 1 } }),
  );
});

it('is equal for equal parts only', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (a, b) => {
      const equal = JSON.stringify(turned(turned(a))) === JSON.stringify(b);
      const canonical = (value: unknown) => stageKey({ ...parts, options: value });
      if (!equal) fc.pre(JSON.stringify(turned(a)) !== JSON.stringify(b));
      expect(canonical(a) === canonical(b)).toBe(equal);
    }),
  );
});

it.each<[string, object]>([
  ['an option', { options: { ...parts.options, temperature: 2 } }],
  ['the order of a list', { options: { ...parts.options, stop: ['b', 'a'] } }],
  ['an input', { inputs: { ...parts.inputs, model: 'ab' } }],
  ['which input it is', { inputs: { model: 'bb', prompts: 'aa' } }],
  ['a version', { versions: { culprit: '2' } }],
])('changes with %s', (_, change) => {
  expect(stageKey({ ...parts, ...change })).not.toBe(stageKey(parts));
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, new Date(0), new Map(), () => 1, Symbol('s')])(
  'is not made of what JSON cannot hold: %s',
  (value) => {
    expect(() => stageKey({ ...parts, options: { value } })).toThrow('a key takes JSON values');
  },
);
