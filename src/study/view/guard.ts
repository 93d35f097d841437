/** What every request to the server must be, and what every answer says of itself. Knows no study. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  // plots and lists set styles on elements
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

export const refused = (c: Context, status: 400 | 403 | 404 | 405, error: string) =>
  c.json({ error }, status);

/**
 * Refuses names of this machine that are not its own, so that no page from elsewhere reaches it by a name
 * that it has the system resolve to
 * 127.0.0.1 (DNS rebinding), and requests that another page made.
 */
export function guard(portOf: () => number): MiddlewareHandler {
  return async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const own = ['127.0.0.1', 'localhost'].map((host) => `${host}:${portOf()}`);
    const host = c.req.header('host') ?? '';
    if (!own.includes(host)) return refused(c, 403, 'expected the address that the server printed');
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}`)
      return refused(c, 403, 'expected a request of the page itself, found one of another page');
    await next();
  };
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Whether two texts are equal, in a time that does not tell where they differ. */
export const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
