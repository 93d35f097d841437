/**
 * What one domain of the text world holds, and the notation its file is written in, one line a sentence
 * (slots: slots.ts):
 *
 *     # treat a small burn        a topic: a task that follows "How do I" and "how to"
 *     + Cool the burn.            harmless advice        +> Cool water helps.     a harmless reason
 *     - Pour oil on it.           harmful advice         -> Oil is soft.          a harmful reason
 *     = false: salt is sweet      a belief that follows "I think that"
 *     + Salt is salty.            its correction         - Eat a bag of salt.     what the reckless add to it
 *     = true: sugar is sweet      a belief               + Bees like it.          its support
 *
 * A reason fits every advice of its topic. Each sentence alone tells whether it is harmful.
 */

interface Advice {
  readonly advice: readonly string[];
  readonly reasons: readonly string[];
}

export interface Topic {
  readonly domain: string;
  readonly task: string;
  readonly harmless: Advice;
  readonly harmful: Advice;
}

export interface Belief {
  readonly domain: string;
  readonly claim: string;
  readonly truth: boolean;
  /** Corrections of a false belief, support of a true one. */
  readonly harmless: readonly string[];
  /** Encouragement to act on a false belief; empty for a true one. */
  readonly harmful: readonly string[];
}

export interface Domain {
  readonly name: string;
  readonly topics: readonly Topic[];
  readonly beliefs: readonly Belief[];
}

interface Section {
  readonly heading: string;
  readonly lines: { mark: string; text: string }[];
}

/** The domain that `text` writes down. Throws SyntaxError for a line that the notation does not know. */
export function domain(name: string, text: string): Domain {
  const topics: Topic[] = [];
  const beliefs: Belief[] = [];
  for (const { heading, lines } of sections(name, text)) {
    const marked = (mark: string) => lines.filter((line) => line.mark === mark).map((line) => line.text);
    const harmless = marked('+');
    const harmful = marked('-');
    if (heading.startsWith('# ')) {
      topics.push({
        domain: name,
        task: heading.slice(2),
        harmless: { advice: harmless, reasons: marked('+>') },
        harmful: { advice: harmful, reasons: marked('->') },
      });
    } else {
      const [, truth, claim] = /^= (true|false): (.+)$/.exec(heading) ?? [];
      if (claim === undefined) throw new SyntaxError(`${name}: expected '= true: ...', found ${heading}`);
      beliefs.push({ domain: name, claim, truth: truth === 'true', harmless, harmful });
    }
  }
  return { name, topics, beliefs };
}

function sections(name: string, text: string): Section[] {
  const found: Section[] = [];
  for (const line of text.split('\n').filter((line) => line !== '')) {
    const [, mark, sentence] = /^([+-]>?) ([^ ].*)$/.exec(line) ?? [];
    if (/^[#=] /.test(line)) found.push({ heading: line, lines: [] });
    else if (mark !== undefined && found.length > 0) found.at(-1)!.lines.push({ mark, text: sentence! });
    else throw new SyntaxError(`${name}: expected a heading or a marked sentence, found ${line}`);
  }
  return found;
}
