/** Latencies in buckets that grow by a quarter of a percent: percentiles within that of the truth, in constant memory. */
const GROWTH = Math.log(1.0025);
const SMALLEST_MILLISECONDS = 0.001;

export class Histogram {
  private readonly buckets = new Map<number, number>();
  private count = 0;
  private sum = 0;
  private max = 0;

  add(milliseconds: number): void {
    const bucket = Math.ceil(
      Math.log(Math.max(milliseconds, SMALLEST_MILLISECONDS) / SMALLEST_MILLISECONDS) / GROWTH,
    );
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + 1);
    this.count += 1;
    this.sum += milliseconds;
    if (milliseconds > this.max) this.max = milliseconds;
  }

  percentile(share: number): number {
    let left = Math.ceil(this.count * share);
    for (const [bucket, entries] of [...this.buckets].sort(([a], [b]) => a - b)) {
      left -= entries;
      if (left <= 0) return SMALLEST_MILLISECONDS * Math.exp(bucket * GROWTH);
    }
    return 0;
  }

  summary() {
    return {
      p50: this.percentile(0.5),
      p95: this.percentile(0.95),
      p99: this.percentile(0.99),
      max: this.max,
      mean: this.count === 0 ? 0 : this.sum / this.count,
    };
  }
}
