/** A server on this machine alone that shows studies while they run, and steers their models. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { InputError } from '../../errors.ts';
import type { Machine } from '../open/machine.ts';
import { playground } from '../playground/served.ts';
import { builtApp, readApp } from '../report/app.ts';
import { studyFolders } from '../report/studyFolder.ts';
import { systemClock } from '../store/runRecord.ts';
import { type ViewedStudy, viewRoutes } from './routes.ts';
import { studyWatch } from './watch.ts';

const host = '127.0.0.1';

export interface ViewRequest extends Machine {
  /** studies, or folders of `culprit attribute --out` */
  readonly studies: readonly string[];
  /** default one that is free */
  readonly port?: number | undefined;
  /** of the built web app; default where the build puts it */
  readonly appFolder?: string | undefined;
  /** milliseconds between looks at a study that somebody watches; default 1000 */
  readonly every?: number | undefined;
  /** told of errors that are ours to mend */
  readonly onBug: (error: unknown) => void;
}

export interface View {
  /** with the token, without which nothing is steered */
  readonly url: string;
  readonly token: string;
  readonly port: number;
  close(): Promise<void>;
}

const portProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'permission denied',
};

async function listening(server: Server, port: number): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const problem = portProblems[(error as NodeJS.ErrnoException).code ?? ''];
    throw problem === undefined ? error : new InputError(`--port ${port}: ${problem}`);
  }
  return (server.address() as AddressInfo).port;
}

/**
 * Throws InputError for folders that are no studies, an app that was not built, and a port that is not
 * free.
 */
export async function startView(request: ViewRequest): Promise<View> {
  const { appFolder = builtApp, cacheDir, memory, every, onBug } = request;
  await readApp(appFolder);
  const studies = (await studyFolders(request.studies)).map(
    (study): ViewedStudy => ({
      ...study,
      watch: studyWatch(study.folder, { clock: systemClock, cacheDir, every }),
      playground: playground(study.folder, { cacheDir, memory }),
    }),
  );
  const token = randomBytes(24).toString('base64url');
  let port = 0;
  const routes = viewRoutes({
    studies,
    appFolder: await realpath(appFolder),
    token,
    port: () => port,
    onBug,
  });
  const server = createAdaptorServer({ fetch: routes.fetch, hostname: host }) as Server;
  port = await listening(server, request.port ?? 0);
  return {
    url: `http://${host}:${port}/?token=${token}`,
    token,
    port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      for (const study of studies) await study.playground.close();
    },
  };
}
