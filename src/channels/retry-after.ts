/** How long a receiver wants to be left alone, as it says it over HTTP. What it asks for is bounded: approvals run out meanwhile. */

/** No receiver is left alone for longer. */
export const retryAfterMaxMs = 10 * 60_000;
/** Nor asked again sooner, where it names no time or one that has passed. */
const retryAfterMinMs = 1000;

/**
 * Milliseconds of a `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3). Undefined where there is none that can be read.
 * @param nowMs by this machine's clock; the receiver's may differ, which the bounds make harmless.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, retryAfterMinMs), retryAfterMaxMs);
}

/** Only what looks like an HTTP date: `Date.parse` reads far more. */
const httpDateMs = (text: string): number =>
  /^[A-Z][a-z]{2,8},? /.test(text) && text.endsWith('GMT') ? Date.parse(text) : Number.NaN;
