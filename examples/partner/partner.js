/**
 * A partner's user service, as small as it can be: what Ostiary asks when a partner keeps its own users. For trying
 * things out on this machine; a real one keeps neither tokens nor passwords in its source.
 */
import { createServer } from 'node:http';

const MAX_BODY_BYTES = 16 * 1024;

const users = [
  {
    token: 'ada-token-1815',
    password: 'engine',
    user: {
      id: 1001,
      login: 'ada',
      name: 'Ada Lovelace',
      email: 'ada@partner.example',
      plan: 'gold',
      groups: ['staff', 'mathematics'],
    },
  },
  {
    token: 'grace-token-1906',
    password: 'compiler',
    user: {
      id: 1002,
      login: 'grace',
      name: 'Grace Hopper',
      email: 'grace@partner.example',
      groups: ['navy'],
    },
  },
  {
    token: 'mallory-token-0000',
    password: 'let-me-in',
    suspended: true,
    user: { id: 1003, login: 'mallory', name: 'Mallory', email: 'mallory@partner.example', groups: [] },
  },
];

/** What each address checks; undefined: nobody. */
const routes = {
  '/verify': ({ token }) => users.find((one) => one.token === token),
  '/login': ({ login, password }) =>
    users.find((one) => one.user.login === login && one.password === password),
};

const server = createServer(async (request, response) => {
  const [status, body, who = ''] = await answerTo(request).catch(() => [
    400,
    { error: 'unreadable request' },
  ]);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  console.log(`${request.method} ${request.url.split('?')[0].padEnd(8)} ${status} ${who}`.trimEnd());
});

/** Status, body, and of whom it is. */
async function answerTo(request) {
  const find = Object.hasOwn(routes, request.url) ? routes[request.url] : undefined;
  if (!find) return [404, { error: 'no such address' }];
  if (request.method !== 'POST') return [405, { error: 'POST only' }];
  const found = find(await jsonOf(request));
  if (!found) return [401, { error: 'no such user, or not with this token or password' }];
  if (found.suspended) return [403, { error: 'suspended' }, found.user.login];
  return [200, { user: found.user }, found.user.login];
}

async function jsonOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error('too long');
    chunks.push(chunk);
  }
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  if (typeof body !== 'object' || body === null) throw new Error('no object');
  return body;
}

server.on('error', (error) => {
  const text =
    error.code === 'EADDRINUSE'
      ? `Port ${error.port} is in use. Choose another: PORT=8091 npm run example:partner`
      : error.message;
  console.error(text);
  process.exitCode = 1;
});

server.listen(Number(process.env.PORT ?? 8090), '127.0.0.1', () => {
  console.log(`The sample partner listens on http://127.0.0.1:${server.address().port}

  POST /verify   {"token"}               answers {"user": {...}}
  POST /login    {"login", "password"}   answers {"user": {...}}

  login     token                password`);
  for (const { token, password, suspended, user } of users) {
    const note = suspended ? '   suspended: is refused with 403' : '';
    console.log(`  ${user.login.padEnd(10)}${token.padEnd(21)}${password}${note}`);
  }
  console.log('\nEach request is shown below. Ctrl-C stops the partner.\n');
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
