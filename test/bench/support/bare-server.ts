import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * The least that Node can do to answer with the same bytes: what the session check is compared with. A process of its
 * own, run by `bare.ts`.
 */

export interface BareAnswer {
  readonly contentType: string;
  readonly body: string;
}

process.once('message', ({ contentType, body }: BareAnswer) => {
  const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  const server = createServer((_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
});
process.once('disconnect', () => process.exit(0));
