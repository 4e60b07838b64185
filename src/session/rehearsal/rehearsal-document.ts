import { z } from 'zod';
import { toUserFields } from '../../accounts/user-document.js';
import { errorCatalog } from '../../errors/error-catalog.js';
import type { RehearsalReport, ReportedExchange } from './rehearsal-report.js';

const milliseconds = z.number().nullable();
const headers = z.record(z.string(), z.string());

const exchangeSchema = z.strictObject({
  purpose: z.string(),
  request: z.strictObject({ method: z.string(), url: z.string(), headers, body: z.string().nullable() }),
  dialled: z
    .strictObject({
      address: z.string(),
      port: z.int(),
      tls: z
        .strictObject({ protocol: z.string(), subject: z.string(), issuer: z.string() })
        .nullable()
        .describe('null: without TLS'),
    })
    .nullable()
    .describe('The other end of the socket; null: none was reached'),
  milliseconds: z.strictObject({
    dns: milliseconds,
    connect: milliseconds,
    tls: milliseconds,
    first_byte: milliseconds,
    total: z.number(),
  }),
  response: z.strictObject({ status: z.int(), headers, body: z.string(), bytes: z.int() }).nullable(),
  failure: z.string().nullable(),
});

/** What a rehearsed sign-in did and would have come to, as the admin API and the command line tell it. */
export const rehearsalAnswer = z.strictObject({
  verdict: z.enum(['accepted', 'refused']),
  error: z
    .strictObject({ code: z.string(), status: z.int(), title: z.string(), reason: z.string().nullable() })
    .nullable()
    .describe('What a client would be told, and why; null: it would be let in'),
  provider: z.strictObject({
    application_id: z.int(),
    slug: z.string(),
    kind: z.string(),
    version: z.int(),
    enabled: z.boolean(),
  }),
  exchanges: z.array(exchangeSchema).describe('Requests to the provider, secrets masked'),
  checks: z.array(z.strictObject({ name: z.string(), passed: z.boolean(), detail: z.string() })),
  mapping: z.array(
    z.strictObject({
      target: z.string(),
      template: z.string(),
      value: z.unknown(),
      type: z.string().nullable(),
      verdict: z.enum(['taken', 'absent', 'refused']),
      reason: z.string().nullable(),
    }),
  ),
  identity: z
    .strictObject({
      subject: z.string(),
      email: z.strictObject({ address: z.string(), verified: z.boolean() }).nullable(),
      phone: z.strictObject({ number: z.string(), verified: z.boolean() }).nullable(),
      profile: z.record(z.string(), z.unknown()),
      amr: z.array(z.string()),
      auth_time: z.iso.datetime(),
    })
    .nullable()
    .describe('Whom the provider vouches for'),
  linking: z
    .strictObject({
      decision: z.enum(['known', 'link', 'create']),
      reason: z.string(),
      user_id: z.int().nullable().describe('null: a user would be created'),
    })
    .nullable(),
  user: z.record(z.string(), z.unknown()).nullable().describe('What the user would be'),
  total_milliseconds: z.number(),
});

export type RehearsalDocument = z.infer<typeof rehearsalAnswer>;

const REASONS = {
  known: 'This identity has led to this user before.',
  link: 'An existing user has the address or the login, and the policy says to lead to them.',
  create: 'Nobody has this identity, and the policy create_users is on.',
} as const;

export function toRehearsalDocument(report: RehearsalReport): RehearsalDocument {
  const { provider, identity, linking, refusal } = report;
  return {
    verdict: refusal ? 'refused' : 'accepted',
    error: refusal && {
      code: refusal.code,
      status: errorCatalog[refusal.code].status,
      title: errorCatalog[refusal.code].title,
      reason: refusal.reason,
    },
    provider: {
      application_id: provider.applicationId,
      slug: provider.slug,
      kind: provider.kind,
      version: provider.version,
      enabled: provider.enabled,
    },
    exchanges: report.exchanges.map(toExchange),
    checks: report.checks.map((check) => ({ ...check })),
    mapping: report.mapping.map((step) => ({ ...step })),
    identity: identity && {
      subject: identity.subject,
      email: identity.email ? { ...identity.email } : null,
      phone: identity.phone ? { ...identity.phone } : null,
      profile: { ...identity.profile },
      amr: [...identity.amr],
      auth_time: identity.authTime.toISOString(),
    },
    linking: linking && {
      decision: linking.decision,
      reason: REASONS[linking.decision],
      user_id: linking.userId,
    },
    user: linking && { id: linking.userId, ...toUserFields(linking.user) },
    total_milliseconds: report.totalMilliseconds,
  };
}

function toExchange({ milliseconds: { firstByte, ...others }, ...exchange }: ReportedExchange) {
  return {
    ...exchange,
    request: { ...exchange.request, headers: { ...exchange.request.headers } },
    dialled: exchange.dialled && {
      ...exchange.dialled,
      tls: exchange.dialled.tls && { ...exchange.dialled.tls },
    },
    milliseconds: { ...others, first_byte: firstByte },
    response: exchange.response && {
      ...exchange.response,
      headers: { ...exchange.response.headers },
    },
  };
}
