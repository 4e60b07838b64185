import { z } from 'zod';
import { applicationSettingsSchema, type SettingsError } from '../applications/application-settings.js';
import { BrokerError } from '../errors/broker-error.js';
import type { ErrorCode } from '../errors/error-catalog.js';
import { line, time } from '../http/input.js';
import { canBeSlug } from '../identity-providers/provider-slug.js';

const MAX_NAME = 100;
const MAX_PAGE = 100;
const MAX_AUDIT_PAGE = 1000;

/** What the database can number; PostgreSQL would not even compare a larger one. */
const MAX_ID = 2 ** 31 - 1;

const cursor = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, { error: 'must be a next_cursor of an earlier page' })
  .optional();

export const createApplicationBody = z.strictObject({
  name: line(MAX_NAME).describe('For people; need not be unique'),
});

/** Every setting of an application, each to be left out, set, or put back to its default by null. */
export const changeSettingsBody = z.strictObject(
  Object.fromEntries(
    Object.entries(applicationSettingsSchema.shape).map(([name, setting]) => [
      name,
      setting.unwrap().nullable().optional(),
    ]),
  ),
);

export const rotateSecretBody = z
  .strictObject({
    end_sessions: z.boolean().default(false).describe('Also end every session of the application'),
  })
  .prefault({});

const version = z.int().min(1).max(MAX_ID);

export const rollBackBody = z.strictObject({
  version: version.describe('Whose content is to be in force again'),
});

export const compareQuery = z.strictObject({
  from: z.coerce.number().pipe(version),
  to: z.coerce.number().pipe(version),
});

export const applicationsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
  cursor: cursor.refine((value) => value === undefined || Number(value) <= MAX_ID, {
    error: 'must be a next_cursor of an earlier page',
  }),
});

export const auditQuery = z.strictObject({
  application_id: z.coerce.number().int().min(1).max(MAX_ID).optional(),
  since: time().optional().describe('From this time on'),
  until: time().optional().describe('Before this time'),
  limit: z.coerce.number().int().min(1).max(MAX_AUDIT_PAGE).default(MAX_PAGE),
  cursor,
});

const administration = z
  .record(z.string(), z.unknown())
  .nullable()
  .describe('How its live connections are ended; null: not at all');

export const chatClientsQuery = z.strictObject({
  application_id: z.coerce.number().int().min(1).max(MAX_ID).optional(),
});

export const createChatClientBody = z.strictObject({
  name: line(MAX_NAME).describe('For people'),
  application_id: z
    .int()
    .min(1)
    .max(MAX_ID)
    .nullable()
    .default(null)
    .describe('Whose users it may ask about; null: those of every application'),
  administration: administration.default(null),
});

export const changeChatClientBody = z.strictObject({
  name: line(MAX_NAME).optional(),
  administration: administration.optional(),
});

export const outboxQuery = z.strictObject({
  failed: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe('Only those that were given up'),
  limit: z.coerce.number().int().min(1).max(MAX_AUDIT_PAGE).default(MAX_PAGE),
  cursor,
});

/** Faults that only show beside the settings that are stored already. */
export function settingsFault({ faults }: SettingsError): BrokerError {
  return new BrokerError('validation_failed', {
    errors: faults.map((fault) => {
      const [name = '', detail = ''] = fault.split(/: (.*)/s);
      return { pointer: `/${name.replaceAll('.', '/')}`, code: 'invalid_value', detail };
    }),
  });
}

/** The id in a path. @throws BrokerError `code` for a text that can be nobody's. */
export function toId(parameter: string, code: ErrorCode): number {
  const isId = /^[1-9]\d{0,9}$/.test(parameter) && Number(parameter) <= MAX_ID;
  if (!isId) throw new BrokerError(code);
  return Number(parameter);
}

/** The id of a message in a path; those have 64 bits. @throws BrokerError `outbox_message_not_found` */
export function toMessageId(parameter: string): number {
  if (!/^[1-9]\d{0,14}$/.test(parameter)) throw new BrokerError('outbox_message_not_found');
  return Number(parameter);
}

/** The slug of a provider in a path. @throws BrokerError `identity_provider_not_found` */
export function toSlug(parameter: string): string {
  if (!canBeSlug(parameter)) throw new BrokerError('identity_provider_not_found');
  return parameter;
}
