import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import { z } from 'zod';
import { errorCatalog, type ErrorCode, type ErrorEntry } from '../../errors/error-catalog.js';
import type { RawOperation, RawRoute } from '../raw/raw-routes.js';
import { OPERATION, type OperationDocument } from './operation.decorator.js';

type Json = Record<string, unknown>;

const BODY = 3;
const QUERY = 4;

/** Errors that any route may answer with, by who may call it. */
const EVERYWHERE: readonly ErrorCode[] = ['malformed_request', 'store_unavailable'];
const WITH_BODY: readonly ErrorCode[] = ['validation_failed', 'request_too_large', 'unsupported_media_type'];
const WITH_QUERY: readonly ErrorCode[] = ['validation_failed'];
const BY_AUTH: Readonly<Record<OperationDocument['auth'], readonly ErrorCode[]>> = {
  none: [],
  client: ['authentication_required', 'origin_not_allowed'],
  session: ['authentication_required', 'session_ended', 'origin_not_allowed'],
  'user session': ['authentication_required', 'session_ended', 'user_session_required', 'origin_not_allowed'],
  'session or server': ['authentication_required', 'session_ended', 'origin_not_allowed'],
  'session or client': ['authentication_required', 'session_ended', 'origin_not_allowed'],
  'admin viewer': ['authentication_required', 'invalid_admin_key'],
  'admin operator': ['authentication_required', 'invalid_admin_key', 'forbidden'],
  'admin owner': ['authentication_required', 'invalid_admin_key', 'forbidden'],
};

const SECURITY: Readonly<Record<OperationDocument['auth'], readonly Json[]>> = {
  none: [],
  client: [{ application: [] }, {}],
  session: [{ session: [] }],
  'user session': [{ session: [] }],
  'session or server': [{ session: [] }, { application: [] }],
  'session or client': [{ session: [] }, { application: [] }, {}],
  'admin viewer': [{ admin: ['viewer'] }],
  'admin operator': [{ admin: ['operator'] }],
  'admin owner': [{ admin: ['owner'] }],
};

const RAW_SECURITY: Readonly<Record<RawOperation['auth'], readonly Json[]>> = {
  'chat client': [{ chat_client: [] }],
  'chat client or server': [{ chat_client: [] }, { application: [] }],
};

/**
 * The OpenAPI 3.1 description of the routes of these controllers that have an `@Operation`, made from the schemas that parse their input and
 * the catalogue of errors; and of the raw routes that describe themselves.
 *
 * @param serverUrl how clients reach the server. @param version of this product.
 */
export function buildOpenApi(
  controllers: readonly Type[],
  rawRoutes: readonly RawRoute[],
  serverUrl: string,
  version: string,
): Json {
  const paths: Record<string, Json> = {};
  for (const controller of controllers) {
    for (const { path, method, operation } of operationsOf(controller))
      (paths[path] ??= {})[method] = operation;
  }
  for (const { path, methods, operation } of rawRoutes) {
    if (operation && methods !== 'any')
      for (const method of methods) (paths[path] ??= {})[method.toLowerCase()] = toRawOperation(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ostiary',
      version,
      description: 'Exchange what a user already has for one session token.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'http', scheme: 'bearer', description: 'A session token' },
        application: {
          type: 'http',
          scheme: 'basic',
          description: 'auth_key and auth_secret of the application',
        },
        chat_client: {
          type: 'http',
          scheme: 'bearer',
          description: 'The secret of a chat client; also as HTTP Basic, with its id for the user',
        },
        admin: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An admin key; with the role that a route names, or a higher one (viewer, operator, owner)',
        },
      },
      schemas: { Problem: problemSchema },
    },
  };
}

function operationsOf(controller: Type): { path: string; method: string; operation: Json }[] {
  const prefix = Reflect.getMetadata(PATH_METADATA, controller) as string;
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name] as object;
    const document = Reflect.getMetadata(OPERATION, handler) as OperationDocument | undefined;
    if (!document) return [];
    const suffix = Reflect.getMetadata(PATH_METADATA, handler) as string;
    const path = `/${prefix}/${suffix}`.replace(/\/+$/, '').replace(/:(\w+)/g, '{$1}');
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number]!.toLowerCase();
    const operationId = `${controller.name.replace(/Controller$/, '')}_${name}`;
    return [
      { path, method, operation: toOperation(operationId, path, document, schemasOf(controller, name)) },
    ];
  });
}

/** The schemas that the parameters of a handler declare. */
function schemasOf(controller: Type, name: string): { body?: z.ZodType; query?: z.ZodType } {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { schema?: z.ZodType }
  >;
  const of = (kind: number) => Object.entries(args).find(([key]) => key.startsWith(`${kind}:`))?.[1].schema;
  const [body, query] = [of(BODY), of(QUERY)];
  return { ...(body && { body }), ...(query && { query }) };
}

function toOperation(
  operationId: string,
  path: string,
  document: OperationDocument,
  { body, query }: { body?: z.ZodType; query?: z.ZodType },
): Json {
  const parameters = [...pathParameters(path), ...(query ? queryParameters(query) : [])];
  const codes = [
    ...EVERYWHERE,
    ...BY_AUTH[document.auth],
    ...(body ? WITH_BODY : []),
    ...(query ? WITH_QUERY : []),
    ...(document.errors ?? []),
  ];
  return {
    operationId,
    summary: document.summary,
    security: SECURITY[document.auth],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { content: { 'application/json': { schema: toJson(body, 'input') } } } }),
    responses: {
      [document.status]: {
        description: 'Done',
        ...(document.answer && {
          content: { 'application/json': { schema: toJson(document.answer, 'output') } },
        }),
      },
      ...errorResponses(codes),
      ...(document.isPage && { 400: { description: 'A page for people', content: { 'text/html': {} } } }),
    },
  };
}

function toRawOperation({ id, summary, auth, body, bodyType, answers }: RawOperation): Json {
  return {
    operationId: id,
    summary,
    security: RAW_SECURITY[auth],
    requestBody: { content: { [bodyType]: { schema: toJson(body, 'input') } } },
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, { description, schema }]) => [
        status,
        {
          description,
          ...(schema && { content: { 'application/json': { schema: toJson(schema, 'output') } } }),
        },
      ]),
    ),
  };
}

function errorResponses(codes: readonly ErrorCode[]): Json {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = errorCatalog[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `${code}: ${(errorCatalog[code] as ErrorEntry).title}`).join(' '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodType): Json[] {
  const { properties } = toJson(query, 'input') as { properties: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}

function toJson(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io }) as Json;
  return json;
}

const problemSchema: Json = {
  type: 'object',
  description: 'RFC 9457. Branch on `code`.',
  required: ['type', 'title', 'status', 'code', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { enum: Object.keys(errorCatalog) },
    request_id: { type: 'string' },
    next: { type: 'string', description: 'What to do about it' },
    guest_user_id: { type: 'integer', description: '`guest_conflict`: the guest who is signed in' },
    user_id: { type: 'integer', description: '`guest_conflict`: the user whom the identity leads to' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'detail'],
        properties: { pointer: { type: 'string' }, code: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
};
