/** A study in memory, as a source of the web app; counts what is read. */
import type { Source } from '../../../src/web/source.ts';

const bytesOf = (content: string | ArrayBuffer): ArrayBuffer =>
  typeof content === 'string' ? (new TextEncoder().encode(content).buffer as ArrayBuffer) : content;

export function heldSource(
  files: Record<string, string | ArrayBuffer>,
): Source & { readonly reads: string[] } {
  const reads: string[] = [];
  return {
    id: 'a',
    name: 'a',
    served: false,
    trimmed: {},
    reads,
    files: async () =>
      Object.entries(files).map(([path, content]) => ({ path, size: bytesOf(content).byteLength })),
    read: async (path) => {
      reads.push(path);
      const content = files[path];
      return content === undefined ? undefined : bytesOf(content);
    },
  };
}
