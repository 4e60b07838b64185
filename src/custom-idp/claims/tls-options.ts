import { X509Certificate, createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { OutboundTls } from '../../outbound/outbound-client.js';

const MAX_PEM_CHARACTERS = 64 * 1024;

const pem = z.string().max(MAX_PEM_CHARACTERS);
const certificate = pem.refine(
  (text) => isReadable(() => new X509Certificate(text)),
  'must be a certificate in PEM',
);
const privateKey = pem.refine(
  (text) => isReadable(() => createPrivateKey(text)),
  'must be a private key in PEM, without a passphrase',
);

/** Where its secret stands, below `tls`. */
export const TLS_SECRET = 'tls.client_key';

/** A definition's `tls`: what the connections to the provider are secured with, beside the public authorities. */
export const tlsOptions = z
  .strictObject({
    ca: certificate.optional(),
    client_certificate: certificate.optional(),
    client_key: privateKey.optional(),
  })
  .superRefine(({ client_certificate, client_key }, context) => {
    if ((client_certificate === undefined) === (client_key === undefined)) return;
    const path = [client_key === undefined ? 'client_key' : 'client_certificate'];
    context.addIssue({ code: 'custom', path, message: 'is needed beside the other one' });
  });

/** @returns one object for each definition: connections are kept by it. */
export function toOutboundTls(options: z.output<typeof tlsOptions> | undefined): OutboundTls | undefined {
  if (options === undefined) return undefined;
  const { ca, client_certificate: clientCertificate, client_key: clientKey } = options;
  return Object.freeze({
    ...(ca !== undefined && { ca }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(clientKey !== undefined && { clientKey }),
  });
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
