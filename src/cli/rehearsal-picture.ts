import type { RehearsalDocument } from '../session/rehearsal/rehearsal-document.js';
import { list, plain, table } from './output.js';

type Exchange = RehearsalDocument['exchanges'][number];

const BAR_CELLS = 30;
const MAX_CELL = 60;

/** A rehearsed sign-in for people, in the order in which things happened; the verdict stands last, where eyes end up. */
export function rehearsalPicture(document: RehearsalDocument): string {
  const { provider, checks, mapping } = document;
  const parts = [
    `${provider.slug} (${provider.kind}, version ${provider.version}${provider.enabled ? '' : ', disabled'}) of application ${provider.application_id}`,
    ...document.exchanges.map(exchangePicture),
    checks.length > 0 && `checks\n${indented(checkLines(checks))}`,
    mapping.length > 0 && `mapping\n${indented(mappingTable(mapping))}`,
    identityPart(document),
    userPart(document),
    verdict(document),
  ];
  return parts.filter((part) => part !== false && part !== null).join('\n\n');
}

function exchangePicture({ purpose, request, dialled, milliseconds, response, failure }: Exchange): string {
  const from = dialled
    ? `from ${dialled.address} port ${dialled.port}${dialled.tls ? `, ${dialled.tls.protocol}` : ', without TLS'}`
    : 'nobody was reached';
  const end = response ? `${response.status}, ${response.bytes} bytes` : `no answer: ${failure ?? 'unknown'}`;
  return [
    `${purpose}: ${request.method} ${request.url}`,
    indented(
      [
        ...headerLines('>', request.headers),
        ...(request.body === null ? [] : [`> ${request.body}`]),
        `< ${end} (${from})`,
        ...(response ? headerLines('<', response.headers) : []),
        ...(response && response.body !== '' ? [`< ${response.body}`] : []),
        ...timeline(milliseconds),
      ].join('\n'),
    ),
  ].join('\n');
}

function headerLines(mark: string, headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => `${mark} ${name}: ${value}`);
}

/** Where the time went, each stretch where it began. */
function timeline({ dns, connect, tls, first_byte, total }: Exchange['milliseconds']): string[] {
  let begin = 0;
  const stretches = Object.entries({ dns, connect, tls, 'first byte': first_byte });
  const bars = stretches.flatMap(([name, length]) => {
    if (length === null) return [];
    const cells = (value: number) => Math.round((value / Math.max(total, 0.01)) * BAR_CELLS);
    const [offset, width] = [Math.min(cells(begin), BAR_CELLS - 1), Math.max(1, cells(length))];
    begin += length;
    const bar = `${' '.repeat(offset)}${'█'.repeat(Math.min(width, BAR_CELLS - offset))}`;
    return [`  ${name.padEnd(10)} ${bar.padEnd(BAR_CELLS)} ${length.toFixed(1)} ms`];
  });
  return [...bars, `  ${'total'.padEnd(10)} ${' '.repeat(BAR_CELLS)} ${total.toFixed(1)} ms`];
}

function checkLines(checks: RehearsalDocument['checks']): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, passed, detail }) => `${passed ? '✓' : '✗'} ${name.padEnd(width)}  ${detail}`)
    .join('\n');
}

function mappingTable(mapping: RehearsalDocument['mapping']): string {
  const marks = { taken: '✓', absent: '–', refused: '✗' } as const;
  return table(
    ['', 'field', 'from', 'value', 'type', 'why not'],
    mapping.map(({ target, template, value, type, verdict: outcome, reason }) => [
      marks[outcome],
      target,
      cell(template),
      value === null || value === undefined ? '' : cell(JSON.stringify(value)),
      type ?? '',
      reason ?? '',
    ]),
  );
}

function identityPart({ identity }: RehearsalDocument): string | null {
  if (!identity) return null;
  const { subject, email, phone, amr, auth_time } = identity;
  const mark = (verified: boolean) => (verified ? 'verified' : 'not verified');
  return `the provider vouches for\n${indented(
    list([
      ['subject', subject],
      ...(email ? [['email', `${email.address} (${mark(email.verified)})`] as const] : []),
      ...(phone ? [['phone', `${phone.number} (${mark(phone.verified)})`] as const] : []),
      ...(amr.length > 0 ? [['amr', amr.join(' ')] as const] : []),
      ['signed in', auth_time],
    ]),
  )}`;
}

function userPart({ linking, user }: RehearsalDocument): string | null {
  if (!linking || !user) return null;
  const who = linking.user_id === null ? 'a new user, without a password' : `user ${linking.user_id}`;
  const fields = Object.entries(user).filter(
    ([name, value]) => name !== 'id' && value !== null && plain(value) !== '' && plain(value) !== 'none',
  );
  return `${who}: ${linking.reason}\n${indented(list(fields))}`;
}

function verdict({ error, total_milliseconds: total }: RehearsalDocument): string {
  const time = `in ${total.toFixed(0)} ms; nothing was written`;
  if (!error) return `✓ A sign-in would succeed (${time}).`;
  const why = error.reason === null ? '' : `\n  Why: ${error.reason}.`;
  return `✗ A sign-in would be refused with ${error.status} ${error.code} (${time}).\n  ${error.title}${why}`;
}

function cell(text: string): string {
  return text.length <= MAX_CELL ? text : `${text.slice(0, MAX_CELL - 1)}…`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
