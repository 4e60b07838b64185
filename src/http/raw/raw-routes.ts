import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';

/** A request as it came over the wire. */
export interface RawRequest {
  /** Under which the log knows it. */
  readonly id: string;
  readonly method: string;
  /** What follows the `?`; empty without one. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Of whoever sent it, as far as proxies can be believed; null where there is none. */
  readonly address: () => string | null;
  /** Null when it is not UTF-8; empty when there is none or the route does not read it. */
  readonly body: string | null;
  /** The values of the path's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** An answer byte for byte. Headers beside these: those against caching and sniffing, the length, and the request's id. */
export interface RawReply {
  readonly status: number;
  /** Null where there is no body. */
  readonly contentType: string | null;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A route whose input and answers other people's software fixes to the byte: it reads bodies whatever they are called,
 * and answers in no words but its own, problem details included.
 */
export interface RawRoute {
  /** Other methods are answered 405. */
  readonly methods: readonly string[] | 'any';
  /** From the root; a part that begins with `:` is a parameter, and `*` at the end is anything. */
  readonly path: string;
  /** Bodies of GET are never read. */
  readonly readsBody: boolean;
  /** No promise where nothing has to be waited for. What it throws is answered with `failure`. */
  answer(request: RawRequest): RawReply | Promise<RawReply>;
  /** The answer when nobody knows what went wrong. It must not be one that can be taken for a yes. */
  readonly failure: RawReply;
  /** For the description of the API; without it the route is not in there. */
  readonly operation?: RawOperation;
}

/** What the description says of a raw route, whose input and answers no schema parses. */
export interface RawOperation {
  readonly id: string;
  readonly summary: string;
  readonly auth: 'chat client' | 'chat client or server';
  readonly body: z.ZodType;
  readonly bodyType: 'application/json' | 'application/x-www-form-urlencoded';
  /** By status. */
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType | undefined }>
  >;
}

/** Routes below a path of which nothing else is answered: whatever is not one of them is an empty 404. */
export interface RawFace {
  /** Such as `/chat`. */
  readonly prefix: string;
  readonly routes: readonly RawRoute[];
}

/** Below these, also what the router refuses by itself is answered without a body. */
const PREFIXES = ['/chat/', '/oauth/', '/_matrix-internal/'];

export function isBelowRawFace(url: string): boolean {
  return PREFIXES.some((prefix) => url.startsWith(prefix));
}

/** The raw faces that there are. Features add theirs as they start; the server mounts them before it listens. */
@Injectable()
export class RawFaces {
  private readonly faces: RawFace[] = [];

  add(face: RawFace): void {
    this.faces.push(face);
  }

  list(): readonly RawFace[] {
    return this.faces;
  }
}

/** An answer without a body. */
export function emptyReply(status: number, headers?: Readonly<Record<string, string>>): RawReply {
  return { status, contentType: null, body: '', ...(headers && { headers }) };
}

export function textReply(status: number, body: string): RawReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

export function jsonReply(
  status: number,
  body: object,
  headers?: Readonly<Record<string, string>>,
): RawReply {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify(body),
    ...(headers && { headers }),
  };
}
