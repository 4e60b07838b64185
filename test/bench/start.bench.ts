import type { Bench, BenchContext, Figure } from './support/bench.js';
import { createPostgres, createSqlite } from './support/bench-database.js';
import { createApplication } from './support/installation.js';
import { ServerProcess } from './support/server-process.js';
import { spread } from './support/statistics.js';
import { storeSessions } from './support/stored-sessions.js';

const STARTS = 9;
const SESSIONS = 1000;
const GOAL = { below: 2 };

export const start: Bench = {
  name: 'start',
  asks: 'how soon a started server is ready, on a database that is there already',
  goals: ['from spawn to the first 200 of /health/ready: median below 2 s, on SQLite and on PostgreSQL'],
  run: runStart,
};

async function runStart({ progress, resources }: BenchContext) {
  progress.plan(2 + STARTS * 2);
  const figures: Figure[] = [];
  for (const create of [createSqlite, createPostgres]) {
    progress.step('making a database');
    const database = await create(resources);
    await storeSessions(database, (await createApplication(database, resources)).id, SESSIONS);
    const seconds: number[] = [];
    const cpuSeconds: number[] = [];
    for (let round = 1; round <= STARTS; round += 1) {
      progress.step(`${database.kind}, start ${round}`);
      const server = await ServerProcess.start(database, resources);
      seconds.push(server.startMilliseconds / 1000);
      cpuSeconds.push(server.startCpuMicroseconds / 1e6);
      await server.stop();
    }
    figures.push(
      { name: `${database.kind}: processor time until ready`, unit: 's', ...spread(cpuSeconds) },
      { name: `${database.kind}: ready after`, unit: 's', ...spread(seconds), goal: GOAL },
    );
  }
  return {
    conditions: {
      starts: `${STARTS} on each database, one after the other`,
      database: `${SESSIONS} sessions stored`,
    },
    figures,
  };
}
