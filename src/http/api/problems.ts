/** Refusals as RFC 9457 problem documents: one stable `code` each, the same title for each occurrence of a code. */
import type { JsonObject } from '../../core/json.ts';
import { statusOf, titles, type Refusal } from '../../core/refusal.ts';

/** Members that a problem has besides those of RFC 9457 and `code`. */
export type Extra = Readonly<Record<string, unknown>>;

/** RFC 9457 §3: the members in a fixed order, then what is particular to this one. */
export function problemBody(refusal: Refusal, extra: Extra = {}): object {
  const { code, detail } = refusal;
  return {
    type: `https://countersign.dev/problems/${code}`,
    title: titles[code],
    status: statusOf(code),
    detail,
    code,
    ...placeOf(refusal),
    ...extra,
  };
}

/** Where in the request the fault is. Evidence of other codes is for operators: it may tell a caller what a rule knows. */
const placeOf = (refusal: Refusal): JsonObject =>
  statusOf(refusal.code) === 400 && refusal.evidence !== undefined ? { ...refusal.evidence } : {};

/**
 * A problem as a response; 401 names the scheme to use (RFC 9110 §11.6.1), 429 and 503 say when it may pass where that is
 * known (§10.2.3), and after 413 the connection is closed, because the rest of the body may still be on it (§15.5.14).
 */
export function problem(refusal: Refusal, extra?: Extra): Response {
  const status = statusOf(refusal.code);
  return new Response(JSON.stringify(problemBody(refusal, extra)), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="countersign"' } : {}),
      ...(status === 413 ? { connection: 'close' } : {}),
      ...(status === 503 ? { 'retry-after': '1' } : status === 429 ? retryAfter(refusal) : {}),
    },
  });
}

/** Whole seconds, rounded up: earlier it would be refused again. */
function retryAfter({ evidence }: Refusal): Readonly<Record<string, string>> {
  const ms = evidence?.['retryAfterMs'];
  return typeof ms === 'number' ? { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) } : {};
}

/** What is said where we failed ourselves; what failed is told to the operator, not to the caller. */
export const fault = (): Response =>
  new Response(
    JSON.stringify({
      type: 'https://countersign.dev/problems/internal',
      title: 'The gate failed',
      status: 500,
      detail: 'The gate could not answer this; ask again to learn what became of it.',
      code: 'internal',
    }),
    { status: 500, headers: { 'content-type': 'application/problem+json' } },
  );
