import {
  applyDecorators,
  createParamDecorator,
  Injectable,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { roleSuffices, type AdminKey, type AdminRole } from '../admin-keys/admin-key.js';
import { AdminKeysService } from '../admin-keys/admin-keys.service.js';
import { BrokerError } from '../errors/broker-error.js';
import { bearerValue } from '../http/authorization.js';
import { Operation, type OperationDocument } from '../http/openapi/operation.decorator.js';
import { identifyActor } from '../observability/request-context.js';

declare module 'fastify' {
  interface FastifyRequest {
    adminKey?: AdminKey;
  }
}

const NEEDED_ROLE = 'ostiary:needed-role';

/** Says which role a route needs, to the guard and to the description at once, so that the two cannot differ. */
export const AdminOperation = (role: AdminRole, document: Omit<OperationDocument, 'auth'>) =>
  applyDecorators(SetMetadata(NEEDED_ROLE, role), Operation({ ...document, auth: `admin ${role}` }));

/** The key that the guard has recognised. */
export const CurrentAdminKey = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().adminKey!,
);

/** Lets admin keys in whose role is what the route needs or a higher one. A route that names none lets nobody in. */
@Injectable()
export class AdminKeyGuard implements CanActivate {
  constructor(private readonly keys: AdminKeysService) {}

  /** @throws BrokerError `authentication_required`, `invalid_admin_key`, `forbidden` */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = await this.keys.recognise(bearerValue(request.headers.authorization));
    identifyActor('admin_key', key.id);
    const needed = Reflect.getMetadata(NEEDED_ROLE, context.getHandler()) as AdminRole | undefined;
    if (needed === undefined || !roleSuffices(key.role, needed)) {
      const cause = new Error(
        `admin key ${key.id} has the role ${key.role}; the route needs ${needed ?? 'one that nobody has'}`,
      );
      throw new BrokerError('forbidden', { cause });
    }
    request.adminKey = key;
    return true;
  }
}
