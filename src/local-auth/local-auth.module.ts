import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { Metrics } from '../observability/metrics.js';
import { SessionModule } from '../session/session.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { TimeModule } from '../time/time.module.js';
import { ChangePasswordService } from './change-password.service.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordsService } from './passwords.service.js';
import { SignUpService } from './sign-up.service.js';
import { WaysInService } from './ways-in.service.js';

/**
 * Owns passwords and guests: policy, hashing, sign-up, sign-in, change, guest upgrade. Proves who somebody is and
 * hands over to `session`, which begins.
 */
@Module({
  imports: [AccountsModule, SessionModule, ThrottleModule, TimeModule],
  providers: [PasswordHasher, PasswordsService, SignUpService, ChangePasswordService, WaysInService],
  exports: [PasswordsService, SignUpService, ChangePasswordService, WaysInService],
})
export class LocalAuthModule {
  constructor(metrics: Metrics, hasher: PasswordHasher) {
    metrics.gauge(
      'ostiary_password_hashes_running',
      'Password hashes being computed.',
      () => hasher.load.running,
    );
    metrics.gauge(
      'ostiary_password_hashes_waiting',
      'Callers that wait for the password pool.',
      () => hasher.load.waiting,
    );
  }
}
