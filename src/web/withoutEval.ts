/**
 * Imported before any schema is made: zod compiles them with `new Function`, which a page's security policy
 * forbids.
 */
import { z } from 'zod';

z.config({ jitless: true });
