/*
 * Runs in a thread of its own, whose environment alone has FIREBASE_AUTH_EMULATOR_HOST: in the server's own environment
 * that variable would make the library take unsigned tokens for every project.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';
import { AddressGuard } from '../../outbound/address-guard.js';
import { guardedAgents } from '../../outbound/guarded-agents.js';
import type { EmulatorAnswer, EmulatorQuestion, EmulatorWorkerData } from './emulator-messages.js';
import { firebaseFailure } from './firebase-failure.js';

const { projectId, outbound } = workerData as EmulatorWorkerData;
const auth = getAuth(
  initializeApp(
    {
      projectId,
      credential: { getAccessToken: () => Promise.reject(new Error('an emulator needs none')) },
      httpAgent: guardedAgents(new AddressGuard(outbound.allow), outbound).http,
    },
    'emulator',
  ),
);

parentPort!.on('message', (question: EmulatorQuestion) => void answer(question));

async function answer({ id, idToken, tenantId }: EmulatorQuestion): Promise<void> {
  const judge = tenantId === undefined ? auth : auth.tenantManager().authForTenant(tenantId);
  const outcome = await judge.verifyIdToken(idToken, true).then(
    (claims) => ({ claims }),
    (error: unknown) => ({ failure: firebaseFailure(error) }),
  );
  parentPort!.postMessage({ id, outcome } satisfies EmulatorAnswer);
}
