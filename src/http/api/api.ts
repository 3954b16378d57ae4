/** `/v1`: finds the route, learns who calls, and turns what the handler says into a response. */
import type { CallbackRules } from '../../core/callback.ts';
import { refuse } from '../../core/refusal.ts';
import type { Parts } from '../../app/parts.ts';
import { refusesStoppedNow } from '../../app/stops.ts';
import type { Identity } from '../../ports/identity.ts';
import type { Reply } from './call.ts';
import { notAuthenticated } from '../resource-metadata.ts';
import { problem } from './problems.ts';
import { attachment } from '../attachment.ts';
import { download } from '../download.ts';
import { find } from './routes.ts';

export interface ApiParts {
  readonly parts: Parts;
  readonly identity: Identity;
  /** Aborts when the gate is closing, so that nobody goes on waiting. */
  readonly closing?: AbortSignal;
  /** Where agents may have themselves called back; default: nowhere. */
  readonly callbacks?: CallbackRules | null;
  /** IANA name: where days begin in reports; default: UTC. */
  readonly timezone?: string;
}

/** Answers every request below `/v1`. Only bearer tokens: a browser's cookie opens nothing here, so no page can ride on it. */
export function createApi({
  parts,
  identity,
  closing,
  callbacks = null,
  timezone = 'UTC',
}: ApiParts): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    const found = find(request.method, url.pathname);
    if (found === undefined) return problem(refuse('not_found', 'There is no such call.'));
    if (found.kind === 'methods') return otherMethod(request.method, found.allow);
    const by = await identity.bearer(request);
    if (!by.ok) return notAuthenticated(by.error, request, parts.origin);
    // What it asks and runs is refused where that is decided; a stopped agent reads nothing either. It may still report.
    if (by.value.kind === 'agent' && found.reads) {
      const stopped = await refusesStoppedNow(parts, by.value.id, null);
      if (stopped !== undefined) return problem(stopped);
    }
    let ends: AbortSignal | undefined;
    const answer = await found.handler({
      parts,
      request,
      url,
      by: by.value,
      path: found.path,
      ends: () =>
        (ends ??= closing === undefined ? request.signal : AbortSignal.any([request.signal, closing])),
      callbacks,
      timezone,
    });
    if (!answer.ok) return problem(answer.error);
    // Who waited, and is answered because the gate stops, has to come again: to another gate, or to the next process here.
    const waits = answer.value.status === 202 || url.searchParams.has('wait');
    return closing?.aborted === true && waits
      ? respond({ ...answer.value, headers: { ...answer.value.headers, ...comeAgain } })
      : respond(answer.value);
  };
}

/** RFC 9110 §10.2.3, in seconds. */
const comeAgain = { 'retry-after': '1' } as const;

/** A reply of 400 and more is a problem document already. */
const respond = ({ status, body, headers, file, download: made }: Reply): Response =>
  made !== undefined
    ? download(made)
    : file === undefined
      ? new Response(JSON.stringify(body), {
          status,
          headers: {
            'content-type': status >= 400 ? 'application/problem+json' : 'application/json',
            ...headers,
          },
        })
      : attachment(file);

/** RFC 9110 §15.5.6. No other origin may call (no CORS), so OPTIONS only names the methods. */
export function otherMethod(method: string, allow: string): Response {
  if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } });
  const refusal = refuse('not_found', `This path offers ${allow}.`);
  const answer = problem(refusal, { status: 405 });
  return new Response(answer.body, {
    status: 405,
    headers: { 'content-type': 'application/problem+json', allow },
  });
}
