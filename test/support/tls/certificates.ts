import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

/** Just enough DER (X.690) for X.509 certificates (RFC 5280 §4.1) of elliptic curve keys. */
const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: readonly Buffer[]) => tlv(0x30, ...parts);
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Buffer) => tlv(0x03, Buffer.from([0]), bytes);
const utcTime = (at: Date) =>
  tlv(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const ALTERNATIVE_NAMES = oid('551d11');
const TRUE = tlv(0x01, Buffer.from([0xff]));
const DAY = 86_400_000;

interface Wanted {
  /** The common name; people and logs see it, nothing is verified by it. */
  readonly name: string;
  /** Host names and IPv4 addresses that the certificate is for. */
  readonly hosts?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

/** A certificate with its key, as PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of a test's own, which certifies whatever it is asked to. */
export class TestAuthority implements Certified {
  private constructor(
    private readonly name: string,
    private readonly signer: KeyObject,
    readonly certificate: string,
    readonly key: string,
  ) {}

  static named(name: string): TestAuthority {
    const { publicKey, privateKey } = newKey();
    const certificate = certify({ name }, name, publicKey, privateKey, true);
    return new TestAuthority(name, privateKey, certificate, pem(privateKey));
  }

  issue(wanted: Wanted): Certified {
    const { publicKey, privateKey } = newKey();
    const certificate = certify(wanted, this.name, publicKey, this.signer, false);
    return { certificate, key: pem(privateKey) };
  }
}

/** A certificate that nobody but its holder vouches for. */
export function selfSigned(wanted: Wanted): Certified {
  const { publicKey, privateKey } = newKey();
  return {
    certificate: certify(wanted, wanted.name, publicKey, privateKey, false),
    key: pem(privateKey),
  };
}

function certify(
  { name, hosts = [], from, until }: Wanted,
  issuer: string,
  subjectKey: KeyObject,
  signer: KeyObject,
  isAuthority: boolean,
): string {
  const named = (text: string) => sequence(tlv(0x31, sequence(COMMON_NAME, tlv(0x0c, Buffer.from(text)))));
  const validity = sequence(
    utcTime(from ?? new Date(Date.now() - DAY)),
    utcTime(until ?? new Date(Date.now() + DAY)),
  );
  const alternatives = hosts.map((host) =>
    isIP(host) === 4 ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host)),
  );
  const extensions = [
    sequence(BASIC_CONSTRAINTS, TRUE, tlv(0x04, sequence(...(isAuthority ? [TRUE] : [])))),
    ...(hosts.length > 0 ? [sequence(ALTERNATIVE_NAMES, tlv(0x04, sequence(...alternatives)))] : []),
  ];
  const content = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    // Positive, and never the same twice for one issuer.
    tlv(0x02, Buffer.from([0x40]), randomBytes(8)),
    ECDSA_WITH_SHA256,
    named(issuer),
    validity,
    named(name),
    subjectKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const der = sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, signer))).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
