import { Agent, Client, type Dispatcher } from 'undici';
import type { OutboundConfig } from '../config/config.js';
import type { AddressGuard } from './address-guard.js';
import type { ConnectionWatch } from './connection-watch.js';
import { guardedConnector, type OutboundTls } from './guarded-connector.js';

/**
 * The connections that are kept: one set for everybody, and one for each object of TLS settings, whose certificates
 * must never vouch for anybody else. A set goes when nobody has its object any more.
 */
export class OutboundConnections {
  private readonly shared: Agent;
  private readonly secured = new WeakMap<OutboundTls, Agent>();
  private readonly open = new Set<Agent>();
  private readonly abandoned = new FinalizationRegistry<Agent>((agent) => {
    this.open.delete(agent);
    agent.close().catch(() => undefined);
  });

  constructor(
    private readonly guard: AddressGuard,
    private readonly config: OutboundConfig,
  ) {
    this.shared = this.agent(undefined);
  }

  of(tls: OutboundTls | undefined): Dispatcher {
    if (!tls) return this.shared;
    let agent = this.secured.get(tls);
    if (!agent) {
      agent = this.agent(tls);
      this.secured.set(tls, agent);
      this.abandoned.register(tls, agent);
    }
    return agent;
  }

  /** A connection of its own for one exchange that is watched. The caller destroys it. */
  single({ origin }: URL, tls: OutboundTls | undefined, watch: ConnectionWatch): Client {
    return new Client(origin, { ...this.limits(), connect: this.connector(tls, watch) });
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((agent) => agent.destroy()));
  }

  private agent(tls: OutboundTls | undefined): Agent {
    const agent = new Agent({
      ...this.limits(),
      connect: this.connector(tls),
      connections: this.config.connectionsPerOrigin,
    });
    this.open.add(agent);
    return agent;
  }

  private connector(tls: OutboundTls | undefined, watch?: ConnectionWatch) {
    const { connectMilliseconds } = this.config;
    return guardedConnector({ guard: this.guard, connectMilliseconds, tls, ...(watch && { watch }) });
  }

  private limits() {
    const { totalMilliseconds, maxResponseBytes } = this.config;
    return {
      headersTimeout: totalMilliseconds,
      bodyTimeout: totalMilliseconds,
      maxHeaderSize: 16 * 1024,
      maxResponseSize: maxResponseBytes,
    };
  }
}
