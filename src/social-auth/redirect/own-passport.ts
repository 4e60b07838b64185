import passport from 'passport';

/**
 * `PassportStrategy` of @nestjs/passport enters each strategy into passport's one global registry, by name. Strategies
 * here belong to one provider and live for one request, so each gets a registry of its own that goes with it.
 */
export function ownPassport(): passport.PassportStatic {
  const { Passport } = passport as unknown as { Passport: new () => passport.PassportStatic };
  return new Passport();
}
