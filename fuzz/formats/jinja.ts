/** Chat templates. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chatTemplate } from '../../src/files/chat.ts';
import { each, type Format, promised, textPart } from '../format.ts';

const templates = [
  `{%- if messages[0]['role'] == 'system' -%}{% set system = messages[0].content | trim %}{% set messages = messages[1:] %}
{%- else -%}{% set system = 'none' %}{%- endif %}{{ bos_token }}
{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}{% endif %}
<|{{ m['role'] }}|>{{ m.content if m.content is string else m.content | tojson(indent=2) }}{{ eos_token }}{% endfor %}`,
  `{% macro say(x, n=2) %}[{{ x | upper }}:{{ '%05.2f' | format(n) }}]{% endmacro %}
{% set ns = namespace(found=false, count=0) %}{% for k, v in {'a': 1, 'b': [2, 3]}.items() %}
{% set ns.count = ns.count + loop.length %}{{ say(k, v if v is number else v | length) }}{% endfor %}
{{ ns.count // 2 }} {{ ns.count ** 2 }} {{ 7 % 3 }} {{ [3, 1, 2] | sort | join(', ') }} {{ 'a,b'.split(',') | last }}`,
  `{% for m in messages | selectattr('role', 'equalto', 'user') | list %}{{ m.content[:3] ~ m.content[::-1] }}
{% if loop.last %}{% continue %}{% endif %}{{ loop.cycle('x', 'y') }}{% endfor %}{{ strftime_now('%d %b %Y') }}
{% generation %}{{ messages | map(attribute='role') | unique | list | tojson }}{% endgeneration %}
{% filter upper %}a{% endfilter %}{{ range(3) | list }}{{ 'x' * 3 }}{{ "a%sb" | format(1) }}{{ '<a>' | escape }}`,
];

const messages = [
  { role: 'user', content: 'How are you?' },
  { role: 'assistant', content: 'Fine.' },
];

export const jinja: Format = {
  name: 'jinja',
  seeds: () => templates.map((template) => ({ 'chat_template.jinja': textPart(template) })),
  async read(folder) {
    const text = readFileSync(join(folder, 'chat_template.jinja'), 'utf8');
    await each(async () => {
      const template = chatTemplate(text, 'x');
      for (const addGenerationPrompt of [false, true])
        await each(() => {
          const specialTokens = { bos_token: '<s>', eos_token: '</s>' };
          const given = template.render(messages, { addGenerationPrompt, specialTokens, now: new Date(0) });
          promised(typeof given === 'string', `a ${typeof given}`);
        });
    });
  },
};
