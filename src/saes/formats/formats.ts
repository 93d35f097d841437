/** Every SAE format. The first that owns a folder opens it. */
import type { SaeFormat } from './format.ts';
import { saelens } from './saelens.ts';

export const saeFormats: readonly SaeFormat[] = [saelens];
