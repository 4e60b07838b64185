import argon2 from '@node-rs/argon2';

/*
 * argon2id and nothing else: what the password sign-in is compared with. A process of its own, run by `bare.ts`.
 */

export interface HashOrder {
  readonly hash: string;
  readonly password: string;
  /** Verifications under way at once. */
  readonly concurrency: number;
  readonly seconds: number;
}

export interface HashReport {
  readonly verifications: number;
  readonly seconds: number;
}

process.on('message', (order: HashOrder) => {
  run(order).then(
    (report) => process.send!(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));

async function run({ hash, password, concurrency, seconds }: HashOrder): Promise<HashReport> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let verifications = 0;
  const lane = async () => {
    while (performance.now() < endsAt) {
      if (!(await argon2.verify(hash, password))) throw new Error('The password does not fit the hash.');
      verifications += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { verifications, seconds: (performance.now() - startedAt) / 1000 };
}
