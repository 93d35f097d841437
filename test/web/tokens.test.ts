/** Token blocks: what is shown is text, whatever the tokens are, and shaded as the scale says. */
import { parseHTML } from 'linkedom';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { scaleOf, shade } from '../../src/web/parts/shade.ts';
import { Tokens } from '../../src/web/parts/tokens.tsx';
import { isSpecial } from '../../src/web/parts/tokenText.tsx';

const hostile = [
  '<img src=x onerror="globalThis.hacked = 1">',
  '</script><script>globalThis.hacked = 1</script>',
  '"><b>',
  '&lt;',
  ' plain',
  '\n\n',
  '',
  '   ',
  '<|end|>',
  '\u202e',
];

function block(tokens: readonly string[], values?: readonly (number | null)[]) {
  const scale = values && scaleOf('diverging', values);
  const html = renderToStaticMarkup(createElement(Tokens, { tokens, values, scale, label: 'a text' }));
  return parseHTML(`<html><body>${html}</body></html>`).document;
}

describe('tokens', () => {
  it('are text alone, each as it is', () => {
    const document = block(hostile);
    expect(document.querySelectorAll('img, script, b').length).toBe(0);
    const spans = [...document.querySelectorAll('.token')];
    expect(spans.map((span) => span.textContent)).toEqual(hostile);
    expect(document.querySelector('.tokens')!.textContent).toBe(hostile.join(''));
  });

  it('marks what cannot be seen, and no space that parts two words', () => {
    const marks = (token: string) =>
      [...block([token]).querySelectorAll('.invisible')].map((span) => span.getAttribute('data-mark'));
    expect(marks('a\nb\n')).toEqual(['↵', '↵']);
    expect(marks(' word')).toEqual([]);
    expect(marks(' ')).toEqual(['·']);
    expect(marks('    x')).toEqual(['····']);
    expect(marks('\t')).toEqual(['⇥']);
    expect(marks('')).toEqual(['∅']);
  });

  it('tells special tokens and attention sinks', () => {
    const kinds = [...block(['<|im_start|>', 'a', 'b'], [null, 1, -1]).querySelectorAll('.token')].map(
      ({ className }) => className,
    );
    expect(kinds).toEqual(['token special sink', 'token', 'token']);
    expect(['<s>', '</s>', '<0x0A>', '[INST]', '<end_of_turn>'].every(isSpecial)).toBe(true);
    expect(['<b>', '<|', 's', '[a]', '<img src=x>'].some(isSpecial)).toBe(false);
  });
});

describe('shading', () => {
  const shareOf = (colour: string | undefined) => Number(/([\d.]+)%/.exec(colour ?? '')?.[1]);

  it('diverges from zero, both sides on one scale', () => {
    const scale = scaleOf('diverging', [0.5, -2, null], [1]);
    expect(scale.max).toBe(2);
    expect(shade(scale, -2)).toContain('--shade-below');
    expect(shade(scale, 1)).toContain('--shade-above');
    expect(shareOf(shade(scale, -2))).toBe(100);
    expect(shareOf(shade(scale, 1))).toBe(50);
    expect(shareOf(shade(scale, 9))).toBe(100);
    for (const none of [0, null, undefined, 0.001]) expect(shade(scale, none)).toBeUndefined();
  });

  it('leaves colour to the rest where a few values stand far above them, and says how many do', () => {
    const usual = Array.from({ length: 19 }, (_, i) => (i + 1) / 19);
    const scale = scaleOf('diverging', [...usual, -40]);
    expect(scale).toEqual({ kind: 'diverging', max: 2.5, beyond: 1 });
    expect(shareOf(shade(scale, -40))).toBe(100);
    expect(shareOf(shade(scale, 1))).toBe(40);
    expect(scaleOf('diverging', usual)).toEqual({ kind: 'diverging', max: 1, beyond: 0 });
    // of three, the two others say what is usual
    expect(scaleOf('diverging', [1, 2, 100]).max).toBe(5);
    expect(scaleOf('diverging', [1, 100]).max).toBe(100);
  });

  it('goes up from zero for amounts', () => {
    const scale = scaleOf('sequential', [4]);
    expect(shade(scale, 3)).toContain('--shade-amount');
    expect(shareOf(shade(scale, 3))).toBe(75);
    expect(shade(scale, -3)).toBeUndefined();
    expect(shade(scaleOf('sequential', [0, 0]), 0)).toBeUndefined();
  });
});
