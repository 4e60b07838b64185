/** The built worker, but a token of the user "the-end" ends its thread, as running out of memory would. */
import { parentPort } from 'node:worker_threads';
import '../../../dist/social-auth/firebase/emulator-worker.js';

parentPort.on('message', ({ idToken }) => {
  const claims = JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url').toString());
  if (claims.sub === 'the-end') process.exit(1);
});
