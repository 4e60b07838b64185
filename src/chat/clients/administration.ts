import { z } from 'zod';
import { inputError } from '../../http/input.js';

/** How the live connections of a chat server are ended: which kind of server, and where and how it is told. */
export type Administration = Readonly<Record<string, unknown>> & { readonly kind: string };

const MAX_JSON_LENGTH = 16_384;

const schema = z
  .looseObject({ kind: z.string().min(1).max(32) })
  .refine((value) => JSON.stringify(value).length <= MAX_JSON_LENGTH, { error: 'is too long' });

/** @throws BrokerError `validation_failed`, with places below `/administration`. */
export function parseAdministration(value: unknown): Administration {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw inputError(parsed.error.issues, ['administration']);
  return parsed.data;
}

/** What people may see of it: no value that could be a secret. */
export function shownAdministration(administration: unknown): { readonly kind: string } | null {
  const parsed = schema.safeParse(administration);
  return parsed.success ? { kind: parsed.data.kind } : null;
}
