/**
 * llama.cpp's own server with a real model: an OpenAI-compatible server that this project did not write.
 * `scripts/chat-server.sh` installs it; a test that needs it says so by
 * `describe.skipIf(!chatServerFolder)`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const scripts = resolve(import.meta.dirname, '../../scripts');

/** Where the server is installed, or undefined on a machine that lacks it. */
export const chatServerFolder: string | undefined = installed();

function installed(): string | undefined {
  try {
    const script = join(scripts, 'chat-server.sh');
    return execFileSync('bash', [script, '--check'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

export interface RealChatServer {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves `gguf` on a free port. Resolves when it is ready; it ends with this process at the latest. */
export async function realChatServer(gguf: string): Promise<RealChatServer> {
  const child = spawn('python3', [join(scripts, 'chat-server.py'), gguf], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: join(chatServerFolder!, 'lib') },
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const closed = once(child, 'close');
  const first = once(createInterface(child.stdout), 'line').then(([line]) => String(line));
  const address = await Promise.race([first, closed.then(() => undefined)]);
  if (address === undefined) throw new Error(`the chat server ended: ${log.slice(-2000)}`);
  return {
    address,
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}
