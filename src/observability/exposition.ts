import { prometheusContentType } from 'prom-client';

export const EXPOSITION_TYPE = prometheusContentType;

/** The text that Prometheus scrapes: of this process, or of all that serve together. */
export abstract class Exposition {
  /** @throws BrokerError `metrics_unavailable` when not every process has told its part: never a part of the sum. */
  abstract text(): Promise<string>;
}
