import { z } from 'zod';
import { mappingSchema, type Mapping } from '../mapping/mapping.schema.js';
import { onlyPlaceholder, parseTemplate, TemplateFault } from '../mapping/template.js';
import { tlsOptionsSchema } from '../tls.options.js';
import { credentialUse, type CredentialUse } from './credential.js';
import type { AnswerRules, RefusedWhen } from './partner-answer.js';
import { compileHeaders, type HeaderTemplates } from './request-headers.js';
import { compileParams, type ParamsFormat, type ParamTemplates } from './request-params.js';
import { signingKey } from '../../outbound/webhook-signature.js';
import { compileUrl, type UrlTemplate } from './request-url.js';

/** The options of an `http` provider, compiled. */
export interface HttpOptions extends AnswerRules {
  readonly url: UrlTemplate;
  readonly method: 'GET' | 'POST';
  readonly headers: HeaderTemplates;
  readonly params: ParamTemplates;
  readonly bodyFormat: 'json' | 'form';
  readonly mapping: Mapping;
  readonly credential: CredentialUse;
  readonly addressesVerified: boolean;
  readonly tls: z.output<typeof tlsOptionsSchema> | undefined;
  readonly signingKey: Buffer | undefined;
  /** Whether it is written as in the dashboards of the two vendors. */
  readonly isVendorForm: boolean;
}

/** Names of the vendors' dashboards, so that what stands there can be pasted. */
const ALIASES = {
  url: ['endpoint', 'api_url'],
  headers: ['request_headers'],
  params: ['request_params'],
  mapping: ['response_params'],
} as const;

const option = z.unknown().optional();

const shape = z.strictObject({
  url: option,
  endpoint: option,
  api_url: option,
  method: z
    .string()
    .toUpperCase()
    .pipe(z.enum(['GET', 'POST']))
    .default('POST'),
  headers: option,
  request_headers: option,
  params: option,
  request_params: option,
  body_format: z.enum(['json', 'form']).optional(),
  mapping: option,
  response_params: option,
  refused_statuses: z
    .array(z.number().int().min(400).max(499))
    .max(30)
    .refine((statuses) => !statuses.includes(429), 'must not have 429, which says that we call too often')
    .default([400, 401, 403, 404, 422]),
  refused_when: z
    .strictObject({
      path: z.string().max(256),
      equals: z.union([z.string().max(256), z.number(), z.boolean(), z.null()]),
    })
    .optional(),
  addresses_verified: z.boolean().default(false),
  tls: tlsOptionsSchema.optional(),
  signing: z
    .strictObject({
      secret: z
        .string()
        .max(128)
        .refine(
          (text) => signingKey(text) !== null,
          'must be 24 to 64 bytes in base64, whsec_ before it or not',
        ),
    })
    .optional(),
});
type Given = z.output<typeof shape>;

/**
 * The options of an `http` provider. Nothing that a client sends reaches the partner but where a template names it, and
 * a definition that hands nothing on is refused: it would take everybody's word.
 */
export const httpOptionsSchema: z.ZodType<HttpOptions> = shape.transform((given, context) => {
  const faults = new Faults(context);
  const [urlName, headersName, paramsName, mappingName] = (
    ['url', 'headers', 'params', 'mapping'] as const
  ).map((name) => faults.nameOf(given, name)) as [Name, Name, Name, Name];
  const url = faults.at([urlName], () => compileUrl(textOf(given[urlName])));
  const headers = faults.at([headersName], () =>
    compileHeaders(given[headersName] ?? {}, (name, compile) => faults.at([headersName, name], compile)),
  );
  const bodyFormat = faults.at(['body_format'], () => bodyFormatOf(given, headers)) ?? 'json';
  const format: ParamsFormat = given.method === 'GET' ? 'query' : bodyFormat;
  const params = faults.at([paramsName], () =>
    compileParams(given[paramsName] ?? {}, format, (name, compile) => faults.at([paramsName, name], compile)),
  );
  const refusedWhen = faults.at(['refused_when', 'path'], () => refusedWhenOf(given));
  const mapping = mappingSchema().safeParse(given[mappingName] ?? {});
  if (!mapping.success) {
    for (const { path, message } of mapping.error.issues) faults.add([mappingName, ...path], message);
  }
  if (!url || !headers || !params || !mapping.success || faults.found) return z.NEVER;
  const credential = credentialUse([url.path, url.query, ...headers.values(), ...params.templates]);
  if (credential.required.length === 0) {
    faults.add(
      [paramsName],
      'must hand on something of the credential: a #{token} or #{password} without a default',
    );
    return z.NEVER;
  }
  return {
    url,
    method: given.method,
    headers: withoutContentType(headers),
    params,
    bodyFormat,
    mapping: mapping.data,
    credential,
    refusedStatuses: given.refused_statuses,
    refusedWhen,
    addressesVerified: given.addresses_verified,
    tls: given.tls,
    signingKey: given.signing && signingKey(given.signing.secret)!,
    isVendorForm: [urlName, headersName, paramsName, mappingName].some((name) => !(name in ALIASES)),
  };
});

type Name = keyof typeof ALIASES | (typeof ALIASES)[keyof typeof ALIASES][number];

/** Tells each fault at the place where the operator wrote what is wrong. */
class Faults {
  found = false;

  constructor(private readonly context: z.RefinementCtx) {}

  add(path: PropertyKey[], message: string): void {
    this.found = true;
    this.context.addIssue({ code: 'custom', path: path.map((key) => String(key).slice(0, 80)), message });
  }

  at<Output>(path: string[], compile: () => Output): Output | undefined {
    try {
      return compile();
    } catch (fault) {
      if (!(fault instanceof TemplateFault)) throw fault;
      this.add(path, fault.message);
      return undefined;
    }
  }

  /** The one name under which an option is given. */
  nameOf(given: Given, option: keyof typeof ALIASES): Name {
    const names: Name[] = [option, ...ALIASES[option]].filter((name) => given[name] !== undefined);
    const [first = option, second] = names;
    if (second) this.add([second], `says the same as ${first}`);
    return first;
  }
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TemplateFault('must be an https URL');
  return value;
}

/** Vendors' definitions say it by a header. */
function bodyFormatOf({ body_format: given }: Given, headers: HeaderTemplates | undefined): 'json' | 'form' {
  const type = headers?.get('content-type')?.text.split(';', 1)[0]!.trim().toLowerCase();
  if (type === undefined) return given ?? 'json';
  const said =
    type === 'application/json' ? 'json' : type === 'application/x-www-form-urlencoded' ? 'form' : null;
  if (said === null)
    throw new TemplateFault('can be json or form; the Content-Type header says something else');
  if (given !== undefined && given !== said)
    throw new TemplateFault('is not what the Content-Type header says');
  return said;
}

function withoutContentType(headers: HeaderTemplates): HeaderTemplates {
  return new Map([...headers].filter(([name]) => name !== 'content-type'));
}

function refusedWhenOf({ refused_when: given }: Given): RefusedWhen | undefined {
  if (!given) return undefined;
  const placeholder = onlyPlaceholder(parseTemplate(`#{${given.path}}`));
  if (!placeholder || placeholder.fallback !== undefined)
    throw new TemplateFault('must be a path, such as status');
  return { path: placeholder.path, equals: given.equals };
}
