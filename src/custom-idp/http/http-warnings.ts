import { placeholdersOf } from '../mapping/template.js';
import type { HttpOptions } from './http.options.js';

/** What weakens security or is not usual, in words for the operator. */
export function httpWarnings(options: HttpOptions): readonly string[] {
  const { url, method, params, credential } = options;
  const inAddress = [url.path, url.query, ...(method === 'GET' ? params.templates : [])].flatMap(
    placeholdersOf,
  );
  const shown = inAddress
    .map(({ path }) => path[0]!)
    .filter((field) => field === 'token' || field === 'password');
  const hasConstant = url.query.text.split('&').some((pair) => /=[^#]/.test(pair));
  return [
    url.origin.startsWith('http:') &&
      'url is plain HTTP: right for a partner on this machine, and for no other',
    ...[...new Set(shown)].map(
      (field) =>
        `#{${field}} goes into the address, and addresses end up in logs: better in a header or a body`,
    ),
    hasConstant &&
      'the query of url is shown to whoever may read the definition: keys belong into headers or params',
    credential.used.includes('password') && 'passwords are handed to the partner',
    !credential.used.includes('token') &&
      !credential.used.includes('password') &&
      'neither #{token} nor #{password} is handed on: whoever knows a login or an address gets in, unless it is secret',
    options.addressesVerified &&
      'addresses_verified: the partner is believed that e-mail addresses and phone numbers are their holders’',
  ].filter((warning) => typeof warning === 'string');
}
