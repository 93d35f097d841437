/** Studies held by the page itself: files as gzip in base64. */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { type HeldStudy, reportSchema } from '../results.ts';
import { parsedJson } from './records.ts';
import type { Source } from './source.ts';

async function unpacked(base64: string): Promise<ArrayBuffer> {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

function heldSource({ id, name, files, trimmed, stale }: HeldStudy): Source {
  const held = new Map(Object.entries(files));
  return {
    id,
    name,
    served: false,
    trimmed,
    stale,
    files: async () => Array.from(held, ([path, { size }]) => ({ path, size })),
    read: async (path) => {
      const file = held.get(path);
      return file && unpacked(file.data);
    },
  };
}

/** Throws InputError for data that no report of ours holds. */
export function reportSources(text: string): Source[] {
  const parsed = reportSchema.safeParse(parsedJson(text, "this report's data"));
  if (!parsed.success) throw new InputError(`this report's data: ${z.prettifyError(parsed.error)}`);
  return parsed.data.studies.map(heldSource);
}
