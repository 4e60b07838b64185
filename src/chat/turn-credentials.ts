import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { ChatConfig } from '../config/config.js';
import { absoluteEnd, type Session } from '../session/session.js';
import { Clock } from '../time/clock.js';
import { chatUserName } from './user-name.js';

/** What a browser's RTCPeerConnection takes, and until when. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Credentials for a TURN server that shares a secret with us ("A REST API For Access To TURN Services",
 * draft-uberti-behave-turn-rest-00, as coturn has it): it asks nobody, so they work until they expire, whatever becomes
 * of the session.
 */
@Injectable()
export class TurnCredentials {
  constructor(
    private readonly config: ChatConfig,
    private readonly applications: ApplicationDirectory,
    private readonly clock: Clock,
  ) {}

  /** @returns null where there is no TURN server, or the application's users may not chat. */
  async issue(session: Session & { readonly userId: number }): Promise<IceServer | null> {
    const { turn } = this.config;
    const application = await this.applications.find(session.applicationId);
    if (turn === null || !application?.settings.chat) return null;
    const wanted = this.clock.now() + turn.ttlSeconds * 1000;
    const end = absoluteEnd(session, application.settings);
    const seconds = Math.floor((end === null ? wanted : Math.min(wanted, end)) / 1000);
    const username = `${seconds}:${chatUserName(session)}`;
    const credential = createHmac('sha1', turn.secret).update(username).digest('base64');
    return { urls: turn.urls, username, credential, expiresAt: seconds * 1000 };
  }
}
