import { Module } from '@nestjs/common';
import { ApplicationsModule } from '../applications/applications.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { RawFaces } from '../http/raw/raw-routes.js';
import { SessionModule } from '../session/session.module.js';
import { OAuthCallers } from './oauth-callers.js';
import { OAuthFace } from './oauth-face.js';
import { TokenFactsService } from './token-facts.service.js';

/**
 * The face for software that knows OAuth 2.0: it asks about tokens and ends them in the words of its RFCs. Routes:
 * /oauth/introspect, /oauth/revoke.
 */
@Module({
  imports: [ApplicationsModule, ChatModule, SessionModule],
  providers: [OAuthCallers, TokenFactsService, OAuthFace],
})
export class OAuthModule {
  constructor(faces: RawFaces, face: OAuthFace) {
    faces.add(face);
  }
}
