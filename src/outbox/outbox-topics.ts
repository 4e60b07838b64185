import { Injectable } from '@nestjs/common';
import type { OutboxTopic } from './outbox-topic.js';

/** The topics that this process can deliver. A message of any other waits for one that can. */
@Injectable()
export class OutboxTopics {
  private readonly topics = new Map<string, OutboxTopic>();

  register(topic: OutboxTopic): void {
    if (this.topics.has(topic.name)) throw new Error(`There are two outbox topics called ${topic.name}.`);
    this.topics.set(topic.name, topic);
  }

  find(name: string): OutboxTopic | undefined {
    return this.topics.get(name);
  }

  get names(): readonly string[] {
    return [...this.topics.keys()];
  }
}
