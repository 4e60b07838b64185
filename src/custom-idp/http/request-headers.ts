import { jsonOption } from '../mapping/json-option.js';
import { TemplateFault, type Template } from '../mapping/template.js';
import { credentialTemplate, unusable, withCredential, type Credential } from './credential.js';

/** Headers by their lower-case names. */
export type HeaderTemplates = ReadonlyMap<string, Template>;

const MAX_HEADERS = 30;
const MAX_HEADER_CHARACTERS = 9 * 1024;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
/** RFC 9110 §5.5, without what some servers take for the end of a line. */
const VALUE = /^[\x20-\x7e\xa0-\xff]*$/;

/** Framing, connections and encodings are the client's; cookies would be read as several by one character more. */
const OURS = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'content-encoding', 'accept-encoding', 'trailer', 'te'],
  ...['connection', 'keep-alive', 'upgrade', 'expect', 'proxy-authorization', 'proxy-connection', 'cookie'],
  ...['webhook-id', 'webhook-timestamp', 'webhook-signature'],
]);

/**
 * Headers of an option: an object, or the JSON text of one. Underscores in names become hyphens, as one of the vendors
 * has it; others refuse headers with underscores unseen.
 *
 * @param at told the place of each fault. @throws TemplateFault for the whole.
 */
export function compileHeaders(
  option: unknown,
  at: (name: string, compile: () => void) => void,
): HeaderTemplates {
  const given = jsonOption(option);
  if (!given) throw new TemplateFault('must be an object, or the JSON text of one');
  if (Object.keys(given).length > MAX_HEADERS)
    throw new TemplateFault(`must be at most ${MAX_HEADERS} headers`);
  const headers = new Map<string, Template>();
  for (const [written, value] of Object.entries(given)) {
    at(written, () => {
      const name = written.replaceAll('_', '-').toLowerCase();
      if (!NAME.test(name)) throw new TemplateFault('is no name of a header');
      if (OURS.has(name)) throw new TemplateFault('is a header that the server sets itself');
      if (headers.has(name)) throw new TemplateFault('names a header twice');
      headers.set(name, compileHeader(value));
    });
  }
  return headers;
}

/** @throws BrokerError `invalid_credentials` for what would be more than a header's value. */
export function toRequestHeaders(headers: HeaderTemplates, credential: Credential): Record<string, string> {
  return Object.fromEntries(
    [...headers].map(([name, template]) => {
      const value = withCredential(template, credential);
      if (value.length > MAX_HEADER_CHARACTERS || !VALUE.test(value))
        throw unusable('does not fit into a header');
      return [name, value];
    }),
  );
}

function compileHeader(value: unknown): Template {
  if (typeof value !== 'string' && typeof value !== 'number') throw new TemplateFault('must be text');
  const template = credentialTemplate(String(value));
  if (!VALUE.test(template.text)) throw new TemplateFault('must be printable and of Latin letters');
  return template;
}
