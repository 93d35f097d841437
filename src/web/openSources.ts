/** Whether this page is a report or comes from a server. */
import { reportDataId } from '../results.ts';
import { reportSources } from './reportSource.ts';
import { servedSources } from './servedSource.ts';
import type { Source } from './source.ts';

/** The studies that this page is about: those that it holds, else those of the server that it came from. */
export async function openSources(page: Document): Promise<Source[]> {
  const data = page.getElementById(reportDataId)?.textContent;
  if (data) return reportSources(data);
  const token = new URLSearchParams(page.location.search).get('token') ?? undefined;
  return servedSources(token);
}
