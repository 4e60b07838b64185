import { readFileSync } from 'node:fs';
import type { Environment } from './environment.js';

/** Where the secret of this chat client comes from, for the programs that run at a chat server instead of in the broker. */
export type ChatClientSecret = () => string | null;

/**
 * @param file read for each use, so that a new secret needs no restart; where none is given, `CHAT_CLIENT_SECRET` holds it.
 * @returns null when there is neither. The function returns null while the file cannot be read or is empty.
 */
export function chatClientSecret(
  file: string | undefined,
  env: Environment = process.env,
): ChatClientSecret | null {
  const secret = env['CHAT_CLIENT_SECRET'];
  if (file === undefined) return secret ? () => secret : null;
  return () => {
    try {
      return readFileSync(file, 'utf8').trim() || null;
    } catch {
      return null;
    }
  };
}
