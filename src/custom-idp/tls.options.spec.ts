import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { selfSigned } from '../../test/support/tls/certificates.js';
import { tlsOptionsSchema, toOutboundTls } from './tls.options.js';

const one = selfSigned({ name: 'one' });
const two = selfSigned({ name: 'two' });
const encrypted = generateKeyPairSync('ed25519').privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
});

describe('the tls of a custom provider', () => {
  it('pins authorities, and shows a certificate', () => {
    const options = {
      ca: one.certificate + two.certificate,
      client_certificate: two.certificate,
      client_key: two.key,
    };
    expect(toOutboundTls(tlsOptionsSchema.parse(options))).toEqual({
      ca: options.ca,
      clientCertificate: two.certificate,
      clientKey: two.key,
    });
    expect(toOutboundTls(tlsOptionsSchema.parse({}))).toEqual({});
    expect(toOutboundTls(undefined)).toBeUndefined();
  });

  it.each([
    ['a certificate without its key', { client_certificate: one.certificate }, 'client_key'],
    ['a key without its certificate', { client_key: one.key }, 'client_certificate'],
    ['the key of another', { client_certificate: one.certificate, client_key: two.key }, 'client_key'],
    ['an encrypted key', { client_certificate: one.certificate, client_key: encrypted }, 'client_key'],
    ['text', { ca: 'my authority' }, 'ca'],
    ['nothing', { ca: '' }, 'ca'],
    ['a broken certificate', { ca: one.certificate.replace(/[A-Z]{4}/, '') }, 'ca'],
    ['a certificate and more', { ca: `${one.certificate}and more` }, 'ca'],
    ['a key for an authority', { ca: one.key }, 'ca'],
    ['a switch', { insecure: true }, undefined],
  ])('refuses %s, and repeats nothing of it', (_, options, place) => {
    const { error } = tlsOptionsSchema.safeParse(options);
    expect(error!.issues.map(({ path }) => path[0])).toContain(place);
    expect(JSON.stringify(error!.issues)).not.toMatch(/BEGIN|[A-Za-z0-9+/]{40}/);
  });
});
