import { visible } from '../core/visible.js';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** `value` as text that is safe between tags and inside quoted attributes; what would turn its order is spelt out. */
export const escapeHtml = (value: unknown): string => visible(String(value)).replace(/[&<>"']/g, (c) => ENTITIES[c]);
