/** The fields of study.yaml that name a chat endpoint, and what it may cost. Knows not what it is asked. */
import { z } from 'zod';
import { quoted } from '../../files/bytes.ts';
import { optionalFields } from '../../judges/chatDialect.ts';
import { shownAddress } from '../../judges/secrets.ts';
import { about, oneOf, real, section, text, whole } from './fields.ts';

const price = section({
  input: about(real({ from: 0 }), 'per million tokens of requests'),
  output: about(real({ from: 0 }), 'per million tokens of replies'),
});

// Of its own kind, so that a key in an address is not shown.
export const url = z.string({ error: 'expected a URL' }).superRefine((address, context) => {
  const refuse = (expected: string) =>
    context.addIssue({
      code: 'custom',
      message: `expected ${expected}, found ${quoted(shownAddress(address))}`,
    });
  if (!/^https?:\/\/[^\s/]+\S*$/.test(address) || !URL.canParse(address))
    refuse('a URL that begins with http:// or https://');
  else if (new URL(address).username || new URL(address).password)
    refuse('a URL without a user or a password in it (name a key with api_key_env)');
});

export const variable = z
  .string({ error: 'expected the name of an environment variable' })
  // Of its own kind, so that a key that stands here by mistake is not shown.
  .refine((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name), {
    error: 'expected the name of an environment variable, not the key itself',
  });

const roles = { judges: 'judge', explains: 'explainer' } as const;

export function endpointFields(does: keyof typeof roles) {
  const role = roles[does];
  return {
    base_url: about(
      url,
      'base URL of an OpenAI-compatible endpoint, without /chat/completions',
      'http://localhost:8080/v1',
    ),
    model: about(
      text('the name of a model'),
      `the model that ${does}, as the endpoint names it`,
      `${role}-model`,
    ),
    api_key_env: about(
      variable.optional(),
      'environment variable that holds the key (default: no key is sent)',
      `${role.toUpperCase()}_API_KEY`,
    ),
    concurrency: about(whole(1, 256).default(8), 'requests at the same time'),
    timeout_s: about(
      real({ above: 0, to: 3600 }).default(120),
      'seconds after which a request counts as failed',
    ),
    retries: about(whole(0, 100).default(5), 'how often a failed request is sent again'),
    reply_tokens: about(
      whole(64).default(8192),
      'greatest number of tokens of a reply, its reasoning included',
    ),
    leave_out: about(
      z.array(oneOf(optionalFields), { error: `expected a list of ${optionalFields.join(', ')}` }).optional(),
      'fields of a request that the endpoint does not take (default: those that it refuses are left out)',
      ['temperature'],
    ),
    max_calls: about(whole(1).optional(), 'stop after this many requests', 5000),
    max_cost: about(
      real({ above: 0 }).optional(),
      'stop after spending this much, in the currency of `price`',
      5,
    ),
    price: about(price.optional(), 'prices per million tokens', { input: 0.15, output: 0.6 }),
  };
}

export const temperature = (role: string) =>
  about(real({ from: 0, to: 2 }).default(0), `temperature of the ${role}; 0 takes its likeliest words`);

export const isPriced = (fields: { max_cost?: number | undefined; price?: object | undefined }): boolean =>
  fields.max_cost === undefined || fields.price !== undefined;
export const unpriced = { error: 'expected price as well: max_cost is computed from it', path: ['max_cost'] };
