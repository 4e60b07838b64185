/** What one batch did. */
export interface JobBatch {
  /** Rows written or removed, for the metrics and the operator. */
  readonly done: number;
  /** Where the next batch goes on; null: the pass is complete. */
  readonly nextCursor: string | null;
}

/**
 * Work that comes round, done by one process at a time. A pass consists of batches, and a pass that was interrupted
 * goes on at the cursor of the last batch that was committed, in whichever process.
 */
export interface Job {
  /** Also the label of its metrics and what the command line calls it. Lower case and hyphens, 64 characters at most. */
  readonly name: string;
  /** How long after the end of a pass the next one is due. */
  readonly everySeconds: number;
  /**
   * Does one bounded batch: some hundred rows at most, as on SQLite it runs on the event loop.
   *
   * It is called inside a transaction that ends with it, that may be run again after a deadlock, and that a power cut
   * may undo together with its cursor: it has no effects but those on the database. Whatever it throws undoes the
   * batch and ends the turn; the job is tried again at the same cursor, later each time.
   */
  runBatch(cursor: string | null): Promise<JobBatch>;
}

/** The cursor of a job that always goes on at the beginning, as what it has dealt with is not there any more. */
export const FROM_THE_START = 'start';
