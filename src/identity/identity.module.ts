import { Module } from '@nestjs/common';
import { VerifierKinds } from './verifier-kinds.js';

/** Owns the contract of identity providers and the registry of their kinds. Imports no verifier: they come to it. */
@Module({ providers: [VerifierKinds], exports: [VerifierKinds] })
export class IdentityModule {}
