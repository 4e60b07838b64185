import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** How often something was tried within a window. */
export interface ThrottleCounterRow {
  key: string;
  count: number;
  window_ends_at: number;
  /** Refused until then, whatever the count; 0 when not. */
  paused_until: number;
}

export const throttleCounterRow = (c: Columns) =>
  new EntitySchema<ThrottleCounterRow>({
    name: 'throttle_counters',
    tableName: 'throttle_counters',
    columns: {
      key: c.varchar(100, { primary: true }),
      count: c.integer(),
      window_ends_at: c.instant(),
      paused_until: c.instant(),
    },
    indices: [{ name: 'throttle_counters_by_end', columns: ['window_ends_at'] }],
  });
