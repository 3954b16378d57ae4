/**
 * Hands spans over to a collector: OTLP over HTTP, as protobuf. Promises: a span that ends is put into a queue of bounded length
 * and nothing more happens on its path; where the collector does not take spans they are dropped and counted; redirects are
 * not followed, because the headers are credentials; what a collector answers is not read.
 *
 * The SDK's own exporter is not used: it takes addresses and headers from the environment too, which nobody reviewed, and its
 * batch processor does not tell what it drops.
 */
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Meters } from '../ports/meters.ts';
import type { TraceSettings } from '../ports/telemetry-settings.ts';

export const exportLimits = {
  /** Spans that wait to be handed over; later ones are dropped. */
  queuedMax: 4096,
  /** Spans of one request. */
  batchMax: 512,
  /** How long a span waits for company. */
  gatherMs: 1000,
  /** How long one request may take. */
  requestMsMax: 10_000,
  /** How often a batch is tried, and how long after the first time. */
  triesMax: 3,
  againMs: 1000,
  /** How long the end of the gate waits for what is left. */
  stopMsMax: 3000,
} as const;

export interface ExportAt {
  readonly settings: Pick<TraceSettings, 'url' | 'headers'>;
  readonly meters: Meters;
  /** Told once when the collector begins to fail, and once when it works again. */
  readonly say: (line: string) => void;
}

/** A processor for the SDK's provider: takes sampled spans that have ended. */
export class Exporter implements SpanProcessor {
  readonly #at: ExportAt;
  readonly #waiting: ReadableSpan[] = [];
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failing = false;

  constructor(at: ExportAt) {
    this.#at = at;
  }

  onStart(): void {
    // Nothing is kept of a span that has not ended.
  }

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & 1) === 0) return;
    if (this.#waiting.length >= exportLimits.queuedMax || this.#ending.signal.aborted) {
      this.#at.meters.count('spans', { result: 'dropped' });
      return;
    }
    this.#waiting.push(span);
    this.#arm();
  }

  /** Hands over all that waits; never rejects. */
  async forceFlush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0 || this.#sending !== undefined) {
      this.#sending ??= this.#send();
      await this.#sending;
    }
  }

  async shutdown(): Promise<void> {
    const late = setTimeout(() => this.#ending.abort(), exportLimits.stopMsMax);
    await this.forceFlush();
    clearTimeout(late);
    this.#ending.abort();
  }

  #arm(): void {
    if (this.#sending !== undefined) return;
    if (this.#waiting.length >= exportLimits.batchMax) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), exportLimits.gatherMs).unref();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    const batch = this.#waiting.splice(0, exportLimits.batchMax);
    const why = await this.#tried(batch).catch((error: unknown) => reasonOf(error));
    this.#at.meters.count('spans', { result: why === null ? 'exported' : 'failed' }, batch.length);
    if ((why !== null) !== this.#failing && !this.#ending.signal.aborted) {
      this.#failing = why !== null;
      // Of the address only its host: a path may hold a key.
      const { host } = new URL(this.#at.settings.url);
      this.#at.say(
        why === null
          ? `Traces are taken by ${host} again.`
          : `Traces are not taken by ${host}: ${why}. What cannot be handed over is dropped.`,
      );
    }
    this.#sending = undefined;
    if (this.#waiting.length > 0) this.#arm();
  }

  /** Why it was not taken; null where it was. */
  async #tried(batch: ReadableSpan[]): Promise<string | null> {
    const body = ProtobufTraceSerializer.serializeRequest(batch);
    if (body === undefined) return 'they could not be written';
    let why = 'the gate stopped';
    for (let tries = 0; tries < exportLimits.triesMax && !this.#ending.signal.aborted; tries += 1) {
      if (tries > 0) await pause(exportLimits.againMs * 2 ** (tries - 1), this.#ending.signal);
      const answer = await this.#post(body).catch((error: unknown) => reasonOf(error));
      if (typeof answer === 'string') why = answer;
      else if (answer >= 200 && answer < 300) return null;
      else {
        why = `it answers HTTP ${answer}`;
        // OTLP/HTTP, "Retryable Response Codes".
        if (![429, 502, 503, 504].includes(answer)) return why;
      }
    }
    return why;
  }

  async #post(body: Uint8Array): Promise<number> {
    const { url, headers } = this.#at.settings;
    const response = await fetch(url, {
      method: 'POST',
      // A view of what the serializer wrote; the type that it gives does not say that no other thread has it.
      body: Buffer.from(body),
      headers: { ...headers, 'content-type': 'application/x-protobuf' },
      redirect: 'error',
      signal: AbortSignal.any([this.#ending.signal, AbortSignal.timeout(exportLimits.requestMsMax)]),
    });
    await response.body?.cancel();
    return response.status;
  }
}

/** The system's name of a failure: messages may repeat the address, with what it holds. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be reached';
  if (error.name === 'TimeoutError') return 'it does not answer in time';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : 'it cannot be reached';
}

/** Resolves after a time, or at once when the gate stops. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref();
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
