import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { line } from '../http/input.js';

/** The names by which a user can be told apart within an application. */
export type IdentifierKind = 'login' | 'email' | 'phone';
export const identifierKinds: readonly IdentifierKind[] = ['login', 'email', 'phone'];

/** An identifier as shown to people and as compared. Two are the same when their keys are equal, and only then. */
export interface Identifier {
  readonly kind: IdentifierKind;
  readonly value: string;
  readonly key: string;
}

export type Identifiers = Readonly<Partial<Record<IdentifierKind, string>>>;

const MAX_LOGIN = 255;
const MAX_EMAIL = 254;

/** ITU-T E.164 allows 15 digits; short codes have at least 5. */
const PHONE = /^\+?[0-9]{5,15}$/;

export const loginSchema = line(MAX_LOGIN).refine(
  (login) => login === login.trim() && loginKey(login).length <= MAX_LOGIN,
  {
    error: 'must not begin or end with a space',
    params: { code: 'invalid_login' },
  },
);

export const emailSchema = z.email().max(MAX_EMAIL);

export const phoneSchema = line(32).refine((phone) => PHONE.test(phoneDigits(phone)), {
  error: 'must be a phone number such as +15550100',
  params: { code: 'invalid_phone' },
});

/** The schemas of all identifiers, for requests that take any of them. */
export const identifierShape = { login: loginSchema, email: emailSchema, phone: phoneSchema } as const;

/** Identifiers with their keys, in a fixed order. */
export function toIdentifiers(given: Identifiers): Identifier[] {
  return identifierKinds.flatMap((kind) => {
    const value = given[kind];
    return value === undefined ? [] : [toIdentifier(kind, value)];
  });
}

/** A sign-in may send what a sign-up would refuse: it is compared and found to be nobody's. */
export function toIdentifier(kind: IdentifierKind, value: string): Identifier {
  switch (kind) {
    case 'login':
      return { kind, value, key: loginKey(value) };
    case 'email':
      return { kind, value: emailKey(value), key: emailKey(value) };
    case 'phone':
      return { kind, value: phoneDigits(value), key: phoneDigits(value).replace(/^\+/, '') };
  }
}

/** NFKC, so that a login typed on another keyboard is the same; look-alikes of other scripts stay different. */
function loginKey(login: string): string {
  return login.normalize('NFKC').toLowerCase().normalize('NFKC');
}

/** Lower case throughout: no provider in use tells local parts apart by case. Dots and plus signs count. */
function emailKey(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = domainToASCII(email.slice(at + 1)) || email.slice(at + 1).toLowerCase();
  return `${email.slice(0, at).normalize('NFKC').toLowerCase()}@${domain}`;
}

function phoneDigits(phone: string): string {
  return phone.replace(/[\s().-]/g, '').replace(/^00/, '+');
}
