/** Studies behind `culprit view`: their files over HTTP, and word of what changes. */
import { z } from 'zod';
import type { Source, SourceEvent, SourceFile } from './source.ts';

const studiesSchema = z.object({ studies: z.array(z.object({ id: z.string(), name: z.string() })) });

const filesSchema = z.object({
  files: z.array(
    z.object({ path: z.string(), size: z.number(), modified: z.union([z.string(), z.number()]) }),
  ),
});
type ServedFile = z.infer<typeof filesSchema>['files'][number];

const statusSchema = z.object({
  stages: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['finished', 'running', 'waiting', 'stale']),
      done: z.number(),
      units: z.number(),
      seconds_left: z.number().nullish(),
    }),
  ),
  running: z.boolean(),
  problem: z.string().optional(),
});

async function answered(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok && response.status !== 404)
    throw new Error(`${url}: the server answered ${response.status}`);
  return response;
}

const stampOf = ({ size, modified }: ServedFile) => `${size} ${modified}`;

/** Paths that are new, gone or other than before. */
export function changedFiles(before: readonly ServedFile[], now: readonly ServedFile[]): string[] {
  const [old, fresh] = [before, now].map((files) => new Map(files.map((file) => [file.path, stampOf(file)])));
  const paths = new Set([...old!.keys(), ...fresh!.keys()]);
  return [...paths].filter((path) => old!.get(path) !== fresh!.get(path));
}

function servedSource({ id, name }: { id: string; name: string }, token: string | undefined): Source {
  const base = `api/studies/${encodeURIComponent(id)}`;
  const listed = async () => filesSchema.parse(await (await answered(`${base}/files`)).json()).files;
  return {
    id,
    name,
    served: true,
    token,
    trimmed: {},
    files: listed as () => Promise<readonly SourceFile[]>,
    read: async (path) => {
      const response = await answered(`${base}/files/${path.split('/').map(encodeURIComponent).join('/')}`);
      return response.ok ? response.arrayBuffer() : undefined;
    },
    onChange: (listener) => listen(`${base}/events`, listener),
  };
}

function listen(url: string, listener: (event: SourceEvent) => void): () => void {
  const events = new EventSource(url);
  let before: ServedFile[] | undefined;
  events.addEventListener('status', ({ data }) =>
    listener({ kind: 'status', status: statusSchema.parse(JSON.parse(data)) }),
  );
  events.addEventListener('files', ({ data }) => {
    const { files } = filesSchema.parse(JSON.parse(data));
    const changed = before ? changedFiles(before, files) : [];
    before = files;
    if (changed.length > 0) listener({ kind: 'files', changed });
  });
  return () => events.close();
}

export async function servedSources(token: string | undefined): Promise<Source[]> {
  const { studies } = studiesSchema.parse(await (await answered('api/studies')).json());
  return studies.map((study) => servedSource(study, token));
}
