import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { OutboundTls } from '../outbound/outbound-client.js';

const MAX_PEM_CHARACTERS = 64 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const pem = z.string().max(MAX_PEM_CHARACTERS);
const certificates = pem.refine((text) => certificatesIn(text).length > 0, 'must be certificates in PEM');
const key = pem.refine((text) => privateKeyOf(text) !== null, 'must be a private key in PEM, not encrypted');

/**
 * The `tls` of a custom provider's options: authorities that are trusted in the place of the public ones, and a
 * certificate that is shown to the partner (mutual TLS). `client_key` is a secret.
 */
export const tlsOptionsSchema = z
  .strictObject({
    ca: certificates.optional(),
    client_certificate: certificates.optional(),
    client_key: key.optional(),
  })
  .superRefine(({ client_certificate: certificate, client_key: privateKey }, context) => {
    if (certificate === undefined && privateKey === undefined) return;
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (privateKey === undefined) return fault('client_key', 'is needed with client_certificate');
    if (certificate === undefined) return fault('client_certificate', 'is needed with client_key');
    const own = privateKeyOf(privateKey);
    if (own && certificatesIn(certificate)[0]?.checkPrivateKey(own) !== true) {
      fault('client_key', 'must be the key of the first certificate in client_certificate');
    }
  });

type TlsOptions = z.output<typeof tlsOptionsSchema>;

/** To be made once for each verifier: connections are kept by it. */
export function toOutboundTls(options: TlsOptions | undefined): OutboundTls | undefined {
  if (!options) return undefined;
  const { ca, client_certificate: clientCertificate, client_key: clientKey } = options;
  return Object.freeze({
    ...(ca !== undefined && { ca }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(clientKey !== undefined && { clientKey }),
  });
}

/** Those of a text that is nothing but certificates. */
function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (text.replace(CERTIFICATE, '').trim() !== '') return [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function privateKeyOf(text: string) {
  try {
    return createPrivateKey(text);
  } catch {
    return null;
  }
}
