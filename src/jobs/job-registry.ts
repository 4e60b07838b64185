import { Injectable } from '@nestjs/common';
import type { Job } from './job.js';

const NAME = /^[a-z][a-z0-9-]{0,63}$/;

/** Which jobs there are. Features register theirs in the constructors of their modules. */
@Injectable()
export class JobRegistry {
  private readonly jobs = new Map<string, Job>();

  /** @throws Error when there is one of that name: two jobs under one lease would each be done half of the time. */
  register(job: Job): void {
    if (!NAME.test(job.name)) throw new Error(`"${job.name}" is no name for a job.`);
    if (this.jobs.has(job.name)) throw new Error(`There are two jobs named "${job.name}".`);
    this.jobs.set(job.name, job);
  }

  find(name: string): Job | undefined {
    return this.jobs.get(name);
  }

  /** In the order of names. */
  list(): Job[] {
    return [...this.jobs.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
