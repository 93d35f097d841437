/** Routes and the address' hash, back and forth. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hashOf, home, inStudy, parseRoute } from '../../src/web/routes.ts';
import { viewNamed } from '../../src/web/view.ts';
import { views } from '../../src/web/views.ts';

it('reads the addresses that links have', () => {
  expect(parseRoute('')).toEqual({ view: 'overview', argument: undefined, query: {} });
  expect(parseRoute('#/')).toEqual({ view: 'overview', argument: undefined, query: {} });
  expect(parseRoute('#/latent/320')).toEqual({ view: 'latent', argument: '320', query: {} });
  expect(parseRoute('#/pairs/q1%2F0?latent=320&study=a%20b')).toEqual({
    view: 'pairs',
    argument: 'q1/0',
    query: { latent: '320', study: 'a b' },
  });
  expect(parseRoute('#/pairs/q1/0')).toMatchObject({ argument: 'q1/0' });
  expect(parseRoute('#/playground?dose=-0.2&q=what?').query).toEqual({ dose: '-0.2', q: 'what?' });
});

it('shows the first view for an unknown one, and takes bytes that are no text as replaced', () => {
  const unknown = parseRoute('#/nowhere/5?study=b');
  expect(unknown).toEqual({ view: 'nowhere', argument: '5', query: { study: 'b' } });
  expect(viewNamed(views, unknown.view).name).toBe(home);
  expect(parseRoute('#/pairs/%FF').argument).toBe('�');
  expect(parseRoute('#/pairs/100%').argument).toBe('100%');
  expect(parseRoute('#/pairs/a+b').argument).toBe('a+b');
});

it('any route comes back from its hash', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 });
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(...views.map(({ name }) => name)), text).filter((view) => view !== home),
      fc.option(text, { nil: undefined }),
      fc.dictionary(text, text),
      (view, argument, query) => {
        expect(parseRoute(hashOf({ view, argument, query }))).toEqual({ view, argument, query });
      },
    ),
  );
});

it('leaves empty values out and sorts the rest', () => {
  expect(hashOf({ view: 'latents', argument: undefined, query: { sort: '-delta', by: '', q: 'x' } })).toBe(
    '#/latents?q=x&sort=-delta',
  );
});

it('stays in the study that is open', () => {
  const here = parseRoute('#/latents?study=b&q=x');
  expect(inStudy(here, 'latent', '3')).toBe('#/latent/3?study=b');
  expect(inStudy(parseRoute('#/latents?q=x'), 'pairs', undefined, { latent: '3' })).toBe('#/pairs?latent=3');
});
