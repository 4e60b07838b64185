import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import {
  fillTemplate,
  parseTemplate,
  placeholdersOf,
  TemplateFault,
  type Template,
} from '../mapping/template.js';

/** What a client may present, and what templates of a request may name. */
export const credentialFields = ['token', 'login', 'password', 'email'] as const;
export type CredentialField = (typeof credentialFields)[number];
export type Credential = Readonly<Partial<Record<CredentialField, string>>>;

/** Longer than any token in use; what is longer is refused before anybody is called (C-05). */
const MAX_TOKEN_BYTES = 8 * 1024;
const MAX_NAME_CHARACTERS = 1024;

const isText = (value: string) => value.isWellFormed() && Buffer.byteLength(value) <= MAX_TOKEN_BYTES;
const fieldSchemas = {
  token: z.string().min(1).max(MAX_TOKEN_BYTES).refine(isText, 'must be text of at most 8192 bytes'),
  login: z.string().min(1).max(MAX_NAME_CHARACTERS).refine(isText, 'must be text'),
  password: z.string().min(1).max(MAX_NAME_CHARACTERS).refine(isText, 'must be text'),
  email: z.string().min(1).max(MAX_NAME_CHARACTERS).refine(isText, 'must be text'),
} as const;

/** A template that a credential is put into. @throws TemplateFault */
export function credentialTemplate(text: string): Template {
  const template = parseTemplate(text);
  for (const { path } of placeholdersOf(template)) {
    if (path.length !== 1 || !(credentialFields as readonly string[]).includes(path[0]!)) {
      throw new TemplateFault(`has a placeholder other than #{${credentialFields.join('}, #{')}}`);
    }
  }
  return template;
}

/** Which fields templates use, and which of those a client has to send. */
export interface CredentialUse {
  readonly used: readonly CredentialField[];
  readonly required: readonly CredentialField[];
}

export function credentialUse(templates: readonly Template[]): CredentialUse {
  const placeholders = templates.flatMap(placeholdersOf);
  const isUsed = (field: CredentialField) => placeholders.some(({ path }) => path[0] === field);
  const isRequired = (field: CredentialField) =>
    placeholders.some(({ path, fallback }) => path[0] === field && fallback === undefined);
  return { used: credentialFields.filter(isUsed), required: credentialFields.filter(isRequired) };
}

/** Exactly what the templates use: a field that nothing checks would be the client's word for who they are. */
export function credentialSchema({ used, required }: CredentialUse): z.ZodType<Credential> {
  const shape = used.map((field) => {
    const schema = fieldSchemas[field];
    return [field, required.includes(field) ? schema : schema.optional()];
  });
  return z.strictObject(Object.fromEntries(shape) as Record<string, z.ZodType<string>>);
}

/**
 * The text of a template with a credential in it.
 *
 * @throws BrokerError `invalid_credentials` for what grows too long.
 */
export function withCredential(
  template: Template,
  credential: Credential,
  encode?: (value: string) => string,
): string {
  const filled = fillTemplate(template, credential, encode);
  if (filled.kind === 'value') return String(filled.value);
  throw unusable('does not fit into the request');
}

/** @param reason a fixed text. */
export function unusable(reason: string): BrokerError {
  return new BrokerError('invalid_credentials', { cause: new Error(`the credential ${reason}`) });
}
