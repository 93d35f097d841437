/** A study whose every text tries to become part of the page that shows it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const hostileTexts = [
  '</script><script>alert(1)</script>',
  '<!--<script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "</title></style></body></html><iframe srcdoc='<script>alert(1)</script>'>",
  '{{alert(1)}}\u2028\u2029</SCRIPT ><base href=//evil.example>',
];

/** Puts the texts in place of every `field` in the records of a JSON Lines file. */
export function poisonLines(path: string, fields: readonly string[]): void {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const poisoned = lines.map((line, i) => {
    const record = JSON.parse(line) as Record<string, unknown>;
    for (const [k, field] of fields.entries()) record[field] = hostileTexts[(i + k) % hostileTexts.length];
    return `${JSON.stringify(record)}\n`;
  });
  writeFileSync(path, poisoned.join(''));
}

/** Every token of every passage, and what the page says of itself. */
export function poisonPage(path: string): void {
  const page = JSON.parse(readFileSync(path, 'utf8'), (key, value: unknown) =>
    key === 'tokens' && Array.isArray(value)
      ? value.map((_, i) => hostileTexts[i % hostileTexts.length])
      : value,
  );
  page.behaviour = hostileTexts[0];
  page.corpora = hostileTexts;
  for (const ends of [page.lens.cosine, page.lens.dot])
    for (const entry of [...ends.top, ...ends.bottom])
      entry.token = hostileTexts[entry.id % hostileTexts.length];
  writeFileSync(path, JSON.stringify(page));
}

export function poison(study: string): void {
  poisonLines(join(study, 'completions.jsonl'), ['text', 'prompt', 'model']);
  poisonLines(join(study, 'grades.jsonl'), ['reason', 'raw', 'judge']);
  poisonLines(join(study, 'pairs.jsonl'), ['prompt', 'positive', 'negative']);
  const yaml = join(study, 'study.yaml');
  writeFileSync(
    yaml,
    readFileSync(yaml, 'utf8').replace('Is there a vowel?', JSON.stringify(hostileTexts.join(' '))),
  );
}
