import { z } from 'zod';

const DEFAULT_GRAPH_URL = 'https://graph.facebook.com';
const DEFAULT_DIALOG_URL = 'https://www.facebook.com';
const DEFAULT_JWKS_URL = 'https://limited.facebook.com/.well-known/oauth/openid/jwks/';

/** Plain HTTP is for stand-ins on this machine: elsewhere it would show the app secret to everybody on the way. */
const url = z
  .string()
  .max(2048)
  .refine(
    (text) => isHttpsOrLoopback(text),
    'must be an https URL without user information, query and fragment',
  );

const appId = z.string().regex(/^\d{5,20}$/, 'must be a Facebook app id');
const app = z.strictObject({
  app_secret: z.string().regex(/^[\x21-\x7e]{16,128}$/, 'must be 16 to 128 printable characters'),
});

/** More apps than one instance serves: a token that none of them issued costs a question for each. */
const MAX_APPS = 20;

/**
 * The options of a `facebook` provider. Facebook has many apps; whoever does not say which are theirs would accept the
 * tokens that people gave to others, so the list is never empty and never anything but a record of ids.
 */
export const facebookOptionsSchema = z
  .strictObject({
    apps: z
      .record(appId, app)
      .refine((apps) => Object.keys(apps).length > 0, 'needs at least one app')
      .refine((apps) => Object.keys(apps).length <= MAX_APPS, `takes at most ${MAX_APPS} apps`),
    redirect_app_id: appId.optional(),
    scope: z
      .array(z.string().regex(/^[a-z0-9_]{1,64}$/))
      .min(1)
      .max(20)
      .default(['public_profile', 'email']),
    graph_version: z
      .string()
      .regex(/^v\d{1,2}\.\d$/)
      .default('v25.0'),
    graph_url: url.default(DEFAULT_GRAPH_URL),
    dialog_url: url.default(DEFAULT_DIALOG_URL),
    limited_login: z
      .strictObject({
        enabled: z.boolean().default(true),
        issuers: z
          .array(z.string().min(1).max(512))
          .min(1)
          .max(5)
          .default(['https://www.facebook.com', 'https://limited.facebook.com']),
        jwks_url: url.default(DEFAULT_JWKS_URL),
      })
      .prefault({}),
  })
  .superRefine(({ apps, redirect_app_id: id }, context) => {
    if (id === undefined && Object.keys(apps).length > 1) {
      context.addIssue({
        code: 'custom',
        path: ['redirect_app_id'],
        message: 'is needed to say which of the apps browsers sign in with',
      });
    }
    if (id !== undefined && !Object.hasOwn(apps, id)) {
      context.addIssue({ code: 'custom', path: ['redirect_app_id'], message: 'must be one of the apps' });
    }
  });

export type FacebookOptions = z.output<typeof facebookOptionsSchema>;

/** One of the operator's Facebook apps. */
export interface FacebookApp {
  readonly id: string;
  readonly secret: string;
}

export function appsOf({ apps }: FacebookOptions): readonly FacebookApp[] {
  return Object.entries(apps).map(([id, { app_secret: secret }]) => ({ id, secret }));
}

/** The app that browsers are sent away with. */
export function redirectAppOf(options: FacebookOptions): FacebookApp {
  const apps = appsOf(options);
  return apps.find(({ id }) => id === options.redirect_app_id) ?? apps[0]!;
}

/** The addresses that are dialled and are not Facebook's own. */
export function givenAddresses({ graph_url, limited_login }: FacebookOptions): readonly URL[] {
  const usual = [DEFAULT_GRAPH_URL, DEFAULT_JWKS_URL];
  return [graph_url, limited_login.jwks_url].filter((url, i) => url !== usual[i]).map((url) => new URL(url));
}

/** What is not Facebook's own address, in words for the operator. */
export function facebookWarnings({
  graph_url,
  dialog_url,
  limited_login,
}: FacebookOptions): readonly string[] {
  const given = { graph_url, dialog_url, 'limited_login.jwks_url': limited_login.jwks_url };
  const usual = [DEFAULT_GRAPH_URL, DEFAULT_DIALOG_URL, DEFAULT_JWKS_URL];
  return Object.entries(given).flatMap(([name, value], i) =>
    value === usual[i] ? [] : [`${name} is not Facebook's own: whoever runs it decides who signs in`],
  );
}

function isHttpsOrLoopback(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const isLoopback = /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname);
  const isPlain = username === '' && password === '' && search === '' && hash === '';
  return isPlain && (protocol === 'https:' || (protocol === 'http:' && isLoopback));
}
