import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { ServerOptions } from 'node:https';
import { env } from 'node:process';
import { connect } from 'node:tls';
import { inspect } from 'node:util';
import { TestNames } from '../../test/support/test-names.js';
import { selfSigned, TestAuthority, type Certified } from '../../test/support/tls/certificates.js';
import { tlsServer } from '../../test/support/tls/tls-server.js';
import type { BrokerError } from '../errors/broker-error.js';
import { OutboundClient, type OutboundTls } from './outbound-client.js';
import { ConnectionNotMadeError, type NoAnswerError } from './outbound-errors.js';

const HOST = 'partner.example';
const authority = TestAuthority.named('The authority of the test');
const stranger = TestAuthority.named('Another authority');
const partner = authority.issue({ name: 'partner', hosts: [HOST] });
const pinned: OutboundTls = { ca: authority.certificate };

describe('OutboundClient over TLS', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const stage = async (shown: Certified, options?: ServerOptions) => {
    const server = await tlsServer(shown, options);
    const names = new TestNames().set(HOST, ['127.0.0.1']).set('other.example', ['127.0.0.1']);
    const client = new OutboundClient(
      {
        allow: ['127.0.0.1'],
        connectMilliseconds: 1000,
        totalMilliseconds: 3000,
        maxResponseBytes: 262_144,
        connectionsPerOrigin: 20,
      },
      names,
    );
    closing.push(
      () => server.close(),
      () => client.close(),
    );
    const send = (tls?: OutboundTls, host = HOST) =>
      client.send({
        url: new URL(`https://${host}:${server.port}/?token=secret`),
        signal: new AbortController().signal,
        tls,
      });
    const refusal = async (tls?: OutboundTls, host?: string) => {
      const error = (await send(tls, host).catch((thrown: unknown) => thrown)) as BrokerError;
      expect(error.code).toBe('identity_provider_unavailable');
      expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('secret');
      expect(server.requests).toEqual([]);
      return error.cause as ConnectionNotMadeError | NoAnswerError;
    };
    return { server, client, send, refusal };
  };

  it('C-18 speaks to a partner whose certificate the pinned authority signed', async () => {
    const { send, server } = await stage(partner);
    expect((await send(pinned)).status).toBe(200);
    expect(server.requests).toEqual([{ path: '/?token=secret', shown: null }]);
  });

  it.each([
    [
      'expired',
      authority.issue({ name: 'x', hosts: [HOST], until: new Date('2025-01-01') }),
      'CERT_HAS_EXPIRED',
    ],
    [
      'not valid yet',
      authority.issue({
        name: 'x',
        hosts: [HOST],
        from: new Date('2045-01-01'),
        until: new Date('2046-01-01'),
      }),
      'CERT_NOT_YET_VALID',
    ],
    [
      'for another host',
      authority.issue({ name: HOST, hosts: ['other.example'] }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['for no host', authority.issue({ name: 'x' }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['of another authority', stranger.issue({ name: 'x', hosts: [HOST] }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['signed by itself', selfSigned({ name: 'x', hosts: [HOST] }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('C-18 sends nothing to a partner whose certificate is %s', async (_, shown, code) => {
    const { refusal } = await stage(shown);
    const cause = await refusal(pinned);
    expect(cause).toBeInstanceOf(ConnectionNotMadeError);
    expect(cause.code).toBe(code);
  });

  it('C-18 trusts no authority of its own accord', async () => {
    const { refusal } = await stage(partner);
    expect((await refusal()).code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('C-18 lets one pinned authority vouch for no other provider', async () => {
    const { send, refusal, server } = await stage(partner);
    await send(pinned);
    server.requests.length = 0;
    await refusal({ ca: stranger.certificate });
    await refusal();
    expect((await send(pinned)).status).toBe(200);
  });

  it('C-18 is not talked out of it by the environment', async () => {
    const { refusal } = await stage(selfSigned({ name: 'x', hosts: [HOST] }));
    const name = 'NODE_TLS_REJECT_UNAUTHORIZED';
    const before = env[name];
    env[name] = '0';
    try {
      await refusal();
      await refusal(pinned);
    } finally {
      if (before === undefined) delete env[name];
      else env[name] = before;
    }
  });

  it('C-18 verifies the host by which it dials, whatever the address', async () => {
    const { refusal } = await stage(partner);
    expect((await refusal(pinned, 'other.example')).code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect((await refusal(pinned, '127.0.0.1')).code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('C-18 dials an address whose certificate names it', async () => {
    const { send } = await stage(authority.issue({ name: 'x', hosts: ['127.0.0.1'] }));
    expect((await send(pinned, '127.0.0.1')).status).toBe(200);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('C-18 does not step down to %s', async (version) => {
    // OpenSSL 3 keeps these versions for whoever asks for them at this level alone.
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const { refusal, server } = await stage(partner, old);
    const other = connect({ ...old, port: server.port, rejectUnauthorized: false });
    await once(other, 'secureConnect');
    other.destroy();
    expect(await refusal(pinned)).toBeInstanceOf(ConnectionNotMadeError);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('C-18 speaks %s', async (version) => {
    const { send } = await stage(partner, { minVersion: version, maxVersion: version });
    expect((await send(pinned)).status).toBe(200);
  });

  describe('with a partner that asks for a certificate', () => {
    const us = stranger.issue({ name: 'ostiary' });
    const mutual = { ...pinned, clientCertificate: us.certificate, clientKey: us.key };
    const asking = (version: 'TLSv1.2' | 'TLSv1.3'): ServerOptions => ({
      requestCert: true,
      rejectUnauthorized: true,
      ca: stranger.certificate,
      minVersion: version,
      maxVersion: version,
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)('C-18 shows its own, under %s', async (version) => {
      const { send, server } = await stage(partner, asking(version));
      expect((await send(mutual)).status).toBe(200);
      expect(server.requests).toEqual([{ path: '/?token=secret', shown: 'ostiary' }]);
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)('C-18 gets no answer without, under %s', async (version) => {
      const { refusal } = await stage(partner, asking(version));
      await refusal(pinned);
    });

    it('C-18 gets no answer with that of somebody else', async () => {
      const { refusal } = await stage(partner, asking('TLSv1.3'));
      const other = authority.issue({ name: 'ostiary' });
      await refusal({ ...pinned, clientCertificate: other.certificate, clientKey: other.key });
    });

    it('C-18 shows it to a partner of whose authority it knows, and to no other', async () => {
      const { refusal } = await stage(stranger.issue({ name: 'x', hosts: [HOST] }), asking('TLSv1.3'));
      expect(await refusal(mutual)).toBeInstanceOf(ConnectionNotMadeError);
    });
  });

  it('keeps connections by the object of their settings', async () => {
    const { send, server } = await stage(partner);
    for (let i = 0; i < 4; i += 1) await send(pinned);
    const kept = server.connections();
    expect(kept).toBeLessThan(4);
    await send(pinned);
    expect(server.connections()).toBe(kept);
    await send({ ...pinned });
    expect(server.connections()).toBe(kept + 1);
  });

  it('takes settings that cannot be read for a provider that cannot be reached', async () => {
    const { refusal } = await stage(partner);
    await refusal({ ca: 'no certificate' });
    await refusal({ ...pinned, clientCertificate: 'none', clientKey: 'secret' });
  });
});
