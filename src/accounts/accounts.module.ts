import { Module } from '@nestjs/common';
import { TimeModule } from '../time/time.module.js';
import { ExternalIdentityRepository } from './external-identity.repository.js';
import { FederatedAccountsService } from './federated-accounts.service.js';
import { AccountsService } from './accounts.service.js';
import { UserRepository } from './user.repository.js';

/** Owns underlying users and their identifiers. Passwords are judged in `local-auth`, sessions begun in `session`. */
@Module({
  imports: [TimeModule],
  providers: [UserRepository, ExternalIdentityRepository, AccountsService, FederatedAccountsService],
  exports: [AccountsService, FederatedAccountsService],
})
export class AccountsModule {}
