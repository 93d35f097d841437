/** Studies behind `culprit view`: their files over HTTP, and word of what changes. */
import {
  latentAsked,
  type ServedFile,
  servedEvents,
  servedFiles,
  servedStudies,
  studiesAddress,
  studyAddresses,
} from '../results.ts';
import type { Source, SourceEvent } from './source.ts';

async function answered(url: string): Promise<Response> {
  const response = await fetch(url).catch(() => {
    throw new Error('the server does not answer');
  });
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
  const { files, events } = studyAddresses(encodeURIComponent(id));
  return {
    id,
    name,
    served: true,
    token,
    trimmed: {},
    files: async () => servedFiles.parse(await (await answered(files)).json()).files,
    narrows: true,
    read: async (path, latent) => {
      const asked = latent === undefined ? '' : `?${latentAsked}=${latent}`;
      const named = path.split('/').map(encodeURIComponent).join('/');
      const response = await answered(`${files}/${named}${asked}`);
      return response.ok ? response.arrayBuffer() : undefined;
    },
    onChange: (listener) => listen(events, listener),
  };
}

function listen(url: string, listener: (event: SourceEvent) => void): () => void {
  const events = new EventSource(url);
  let before: readonly ServedFile[] | undefined;
  events.addEventListener('status', ({ data }) =>
    listener({ kind: 'status', status: servedEvents.status.parse(JSON.parse(data)) }),
  );
  events.addEventListener('files', ({ data }) => {
    const { files } = servedEvents.files.parse(JSON.parse(data));
    const changed = before ? changedFiles(before, files) : [];
    before = files;
    if (changed.length > 0) listener({ kind: 'files', changed });
  });
  events.addEventListener('error', () => listener({ kind: 'lost' }));
  events.addEventListener('open', () => listener({ kind: 'found' }));
  return () => events.close();
}

export async function servedSources(token: string | undefined): Promise<Source[]> {
  const { studies } = servedStudies.parse(await (await answered(studiesAddress)).json());
  return studies.map((study) => servedSource(study, token));
}
