/**
 * An OpenAI-compatible server that explains and answers as it is told, and reads the questions by itself:
 * what is asked about stands between tags that carry the announced mark.
 */
import type { ServerResponse } from 'node:http';
import { serveChat } from './chatServer.ts';
import { chatBody } from './fakeChatServer.ts';

export interface AskedOf {
  readonly task: 'explain' | 'detection' | 'fuzzing';
  /** the description to go by; empty where one is asked for */
  readonly description: string;
  /** the passages, marks among them: active ones where an explanation is asked for */
  readonly passages: readonly string[];
  readonly inactive: readonly string[];
  readonly content: string;
}

/** What the model says; or what the server does itself. */
export type Script = (asked: AskedOf, before: number) => string | ((response: ServerResponse) => void);

/** What stands between tags of this name. */
function within(content: string, tag: string): string[] {
  const mark = /that carry the mark ([0-9a-f]{16})\./.exec(content)?.[1];
  if (mark === undefined) throw new Error(`no mark in ${content}`);
  const found = new RegExp(`<${tag} ${mark}[^>]*>\n([\\s\\S]*?)\n</${tag} ${mark}>`, 'g');
  return [...content.matchAll(found)].map(([, text]) => text!);
}

function read(content: string): AskedOf {
  const task = content.includes('What does the feature respond to? Reply')
    ? 'explain'
    : content.includes('In which passages are the marks right?')
      ? 'fuzzing'
      : 'detection';
  return {
    task,
    description: within(content, 'description')[0] ?? '',
    passages: within(content, task === 'explain' ? 'active' : 'passage'),
    inactive: within(content, 'inactive'),
    content,
  };
}

export async function fakeExplainer(script: Script) {
  const asked: AskedOf[] = [];
  const server = await serveChat((body, _, response) => {
    const [{ content }] = body.messages as [{ content: string }];
    const question = read(content);
    const before = asked.filter((other) => other.content === content).length;
    asked.push(question);
    const said = script(question, before);
    if (typeof said !== 'string') return said(response);
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatBody(said));
  });
  return { ...server, asked };
}

/** Answers in the form that is asked for. */
export const answersOf = (yes: readonly boolean[]): string => JSON.stringify({ answers: yes.map(Number) });
