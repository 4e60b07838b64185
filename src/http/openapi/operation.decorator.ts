import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';
import type { ErrorCode } from '../../errors/error-catalog.js';

/** What the description of a route says beside what its decorators say already. */
export interface OperationDocument {
  readonly summary: string;
  readonly auth:
    | 'none'
    | 'client'
    | 'session'
    | 'user session'
    | 'session or server'
    | 'session or client'
    | 'admin viewer'
    | 'admin operator'
    | 'admin owner';
  readonly status: number;
  readonly answer?: z.ZodType;
  /** A route for people's browsers: its refusals are pages. */
  readonly isPage?: boolean;
  /** Codes beside those that every route has. */
  readonly errors?: readonly ErrorCode[];
}

export const OPERATION = 'ostiary:operation';

/** Describes a route in the OpenAPI document. Bodies and queries come from the schemas that validate them. */
export const Operation = (document: OperationDocument) => SetMetadata(OPERATION, document);
