import type {
  TracedCheck,
  TracedExchange,
  TracedMapping,
  VerificationTrace,
} from '../../observability/verification-trace.js';
import type { Mask } from './mask.js';
import type { ReportedExchange } from './rehearsal-report.js';

/** A definition makes a handful of each; more is a fault of ours, and nothing to read. */
const MAX_ENTRIES = 100;
const MAX_BODY_CHARACTERS = 4096;
const MAX_VALUE_CHARACTERS = 512;

/** Writes down what a verifier does, as people may see it: without secrets, and not more than they can read. */
export class TraceRecorder implements VerificationTrace {
  readonly exchanges: ReportedExchange[] = [];
  readonly checks: TracedCheck[] = [];
  readonly mappings: TracedMapping[] = [];

  constructor(private readonly mask: Mask) {}

  exchange({ purpose, request, dialled, timings, response, failure }: TracedExchange): void {
    if (this.exchanges.length >= MAX_ENTRIES) return;
    const { mask } = this;
    this.exchanges.push({
      purpose,
      request: {
        method: request.method,
        url: mask.url(request.url),
        headers: mask.headers(request.headers),
        body: request.body === null ? null : capped(mask.body(request.body), MAX_BODY_CHARACTERS),
      },
      dialled,
      milliseconds: rounded(timings),
      response: response && {
        status: response.status,
        headers: mask.headers(response.headers),
        body: capped(mask.body(response.body.toString('utf8')), MAX_BODY_CHARACTERS),
        bytes: response.body.length,
      },
      failure,
    });
  }

  mapping(step: TracedMapping): void {
    if (this.mappings.length >= MAX_ENTRIES) return;
    const value = this.mask.value(step.value);
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    this.mappings.push({
      ...step,
      value: text.length > MAX_VALUE_CHARACTERS ? capped(text, MAX_VALUE_CHARACTERS) : (value ?? null),
    });
  }

  check(check: TracedCheck): void {
    if (this.checks.length >= MAX_ENTRIES) return;
    const detail = capped(this.mask.text(check.detail), MAX_VALUE_CHARACTERS);
    this.checks.push({ name: check.name, passed: check.passed, detail });
  }
}

function capped(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

function rounded(timings: TracedExchange['timings']): ReportedExchange['milliseconds'] {
  const round = (value: number | null) => (value === null ? null : Math.round(value * 100) / 100);
  return {
    dns: round(timings.dns),
    connect: round(timings.connect),
    tls: round(timings.tls),
    firstByte: round(timings.firstByte),
    total: round(timings.total)!,
  };
}
