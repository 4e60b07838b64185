import type { Application } from '../applications/application.js';
import type { ServerConfig } from '../config/config.js';

/**
 * Whether a page of this origin may use the application. The preflight could not know which application it was for
 * and allowed what any of them allows; here it is known. Apps and servers send no origin.
 */
export function allowsOrigin(application: Application, server: ServerConfig, origin: string): boolean {
  if (application.settings.allowed_origins.includes(origin)) return true;
  return server.publicUrl !== null && new URL(server.publicUrl).origin === origin;
}
