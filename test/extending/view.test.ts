/** A view of the app, added by one object: it has a tab, and its address shows it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { Frame } from '../../src/web/app.tsx';
import { home, parseRoute } from '../../src/web/routes.ts';
import type { WebView } from '../../src/web/view.ts';
import { views } from '../../src/web/views.ts';
import { heldSource } from '../web/support/heldSource.ts';

const counted: WebView = {
  name: 'counted',
  tab: 'Counted',
  component: ({ study, route, sources }) =>
    createElement('h1', null, `${study.source.name}: ${route.argument} of ${sources.length}`),
};
const detail: WebView = { name: 'detail', under: 'counted', component: counted.component };

const shown = (hash: string) =>
  renderToStaticMarkup(
    createElement(Frame, {
      sources: [heldSource({})],
      route: parseRoute(hash),
      views: [...views, counted, detail],
    }),
  );

const tabsIn = (page: string) =>
  [...page.matchAll(/<a href="([^"]*)"( aria-current="page")?>([^<]*)<\/a>/g)].map(
    ([, href, current, tab]) => ({ href, tab, marked: current !== undefined }),
  );

it('has a tab, which is marked while it is shown', () => {
  const page = shown('#/counted/5?study=a');
  expect(page).toContain('<h1>a: 5 of 1</h1>');
  expect(tabsIn(page).filter(({ marked }) => marked)).toEqual([
    { href: '#/counted?study=a', tab: 'Counted', marked: true },
  ]);
});

it('leaves the others as they were', () => {
  const page = shown('');
  expect(page).not.toContain('<h1>a:');
  expect(tabsIn(page).map(({ tab }) => tab)).toEqual([
    'Overview',
    'Latents',
    'Pairs',
    'Transcripts',
    'Playground',
    'Methods',
    'Compare',
    'Counted',
  ]);
  expect(tabsIn(page).find(({ marked }) => marked)!.tab).toBe('Overview');
});

it('may stand under the tab of another', () => {
  const page = shown('#/detail/7');
  expect(page).toContain('<h1>a: 7 of 1</h1>');
  expect(tabsIn(page).filter(({ marked }) => marked)).toMatchObject([{ tab: 'Counted' }]);
  expect(tabsIn(shown('#/latent/7')).find(({ marked }) => marked)!.tab).toBe('Latents');
});

it('an address of no view shows the first', () => {
  expect(shown('#/nowhere')).toBe(shown(''));
  expect(views[0]!.name).toBe(home);
});

it('names differ, and links within the app name views that are there', () => {
  const names = views.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const web = resolve(import.meta.dirname, '../../src/web');
  const files = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.tsx?$/.test(path),
  );
  const linked = files.flatMap((path) =>
    [...readFileSync(join(web, path), 'utf8').matchAll(/inStudy\(\w+, '(\w+)'/g)].map(([, name]) => name!),
  );
  expect(linked.length).toBeGreaterThan(10);
  expect(linked.filter((name) => !names.includes(name))).toEqual([]);
});
