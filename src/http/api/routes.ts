/**
 * The table of the API: every path with what may be done there, and nothing else. What changes anything is a POST or a PUT;
 * following a link, prefetching or previewing it (GET, HEAD) only reads.
 */
import * as actions from './actions.ts';
import * as agents from './agents.ts';
import * as approvals from './approvals.ts';
import { ask } from './ask.ts';
import type { Handler } from './call.ts';
import * as config from './config.ts';
import * as delegations from './delegations.ts';
import * as evidence from './evidence.ts';
import * as glass from './glass.ts';
import * as log from './log.ts';
import * as operate from './operate.ts';
import * as passkeys from './passkeys.ts';
import * as receipts from './receipts.ts';
import * as reconciliations from './reconciliations.ts';
import { report } from './report.ts';
import * as retention from './retention.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Steps that begin with a colon are variable. */
  readonly path: string;
  readonly handler: Handler;
}

// RULE get-never-decides
/** Every route of `/v1`. */
export const routes: readonly Route[] = [
  { method: 'POST', path: '/v1/actions', handler: ask },
  { method: 'GET', path: '/v1/actions/:action', handler: actions.show },
  { method: 'GET', path: '/v1/actions/:action/receipts', handler: receipts.list },
  { method: 'POST', path: '/v1/actions/:action/execution', handler: actions.run },
  { method: 'PUT', path: '/v1/executions/:execution/outcome', handler: actions.report },
  { method: 'GET', path: '/v1/approvals', handler: approvals.list },
  { method: 'GET', path: '/v1/approvals/:approval', handler: approvals.show },
  { method: 'POST', path: '/v1/approvals/:approval/reviews', handler: approvals.review },
  { method: 'POST', path: '/v1/approvals/:approval/cancel', handler: approvals.cancel },
  { method: 'POST', path: '/v1/approvals/:approval/signing', handler: passkeys.signing },
  { method: 'GET', path: '/v1/passkeys', handler: passkeys.list },
  { method: 'POST', path: '/v1/passkeys/options', handler: passkeys.options },
  { method: 'POST', path: '/v1/passkeys', handler: passkeys.enrol },
  { method: 'POST', path: '/v1/passkeys/:passkey/revoke', handler: passkeys.revoke },
  { method: 'POST', path: '/v1/passkeys/:passkey/confirm', handler: passkeys.confirm },
  { method: 'POST', path: '/v1/people/:person/enrolments', handler: passkeys.grant },
  { method: 'GET', path: '/v1/agents', handler: agents.list },
  { method: 'POST', path: '/v1/agents/:agent/stop', handler: agents.stop },
  { method: 'POST', path: '/v1/agents/:agent/lift', handler: agents.lift },
  { method: 'POST', path: '/v1/servers/:server/tools/:tool/accept', handler: operate.accept },
  { method: 'GET', path: '/v1/delegations', handler: delegations.list },
  { method: 'POST', path: '/v1/delegations', handler: delegations.begin },
  { method: 'POST', path: '/v1/delegations/:delegation/end', handler: delegations.end },
  { method: 'GET', path: '/v1/break-glass', handler: glass.list },
  { method: 'POST', path: '/v1/break-glass', handler: glass.ask },
  { method: 'POST', path: '/v1/break-glass/:glass/end', handler: glass.end },
  { method: 'POST', path: '/v1/break-glass/:glass/review', handler: glass.review },
  { method: 'GET', path: '/v1/config', handler: config.show },
  { method: 'POST', path: '/v1/config/proposals', handler: config.propose },
  { method: 'GET', path: '/v1/log', handler: log.list },
  { method: 'GET', path: '/v1/log/export', handler: log.take },
  { method: 'POST', path: '/v1/log/erasures', handler: retention.erase },
  { method: 'GET', path: '/v1/log/holds', handler: retention.holds },
  { method: 'POST', path: '/v1/log/holds', handler: retention.hold },
  { method: 'POST', path: '/v1/log/holds/:hold/release', handler: retention.release },
  { method: 'GET', path: '/v1/log/:index/receipt', handler: receipts.one },
  { method: 'GET', path: '/v1/trusted-root', handler: receipts.trustedRoot },
  { method: 'GET', path: '/v1/reconciliations', handler: reconciliations.list },
  { method: 'POST', path: '/v1/reconciliations', handler: reconciliations.create },
  { method: 'GET', path: '/v1/reconciliations/:reconciliation', handler: reconciliations.show },
  { method: 'GET', path: '/v1/report', handler: report },
  { method: 'POST', path: '/v1/evidence', handler: evidence.make },
  { method: 'POST', path: '/v1/evidence/answers', handler: evidence.answer },
];

/** The handler of a request; where only the method is wrong, the ones that are offered; undefined for an unknown path. */
export type Found =
  | {
      readonly kind: 'handler';
      readonly handler: Handler;
      readonly path: Readonly<Record<string, string>>;
      /** It only reads. */
      readonly reads: boolean;
    }
  | { readonly kind: 'methods'; readonly allow: string };

export function find(method: string, pathname: string): Found | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const methods: string[] = [];
  for (const route of routes) {
    const path = match(route.path, pathname);
    if (path === undefined) continue;
    if (route.method === wanted)
      return { kind: 'handler', handler: route.handler, path, reads: wanted === 'GET' };
    methods.push(...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  }
  return methods.length === 0 ? undefined : { kind: 'methods', allow: [...methods, 'OPTIONS'].join(', ') };
}

/** The path of the route as this table has it; undefined for an unknown path. */
export const templateOf = (method: string, pathname: string): string | undefined =>
  routes.find(
    (route) =>
      route.method === (method === 'HEAD' ? 'GET' : method) && match(route.path, pathname) !== undefined,
  )?.path;

/** The variable steps, decoded; undefined where the path is another, or not decodable. */
function match(pattern: string, pathname: string): Record<string, string> | undefined {
  const steps = pattern.split('/');
  const given = pathname.split('/');
  if (steps.length !== given.length) return undefined;
  const path: Record<string, string> = {};
  for (const [index, step] of steps.entries()) {
    const said = given[index] ?? '';
    if (!step.startsWith(':')) {
      if (step !== said) return undefined;
      continue;
    }
    const value = decoded(said);
    if (value === undefined || value === '') return undefined;
    path[step.slice(1)] = value;
  }
  return path;
}

/** One step of a path; undefined where its percent-encoding is broken. */
export function decoded(step: string): string | undefined {
  try {
    return decodeURIComponent(step);
  } catch {
    return undefined;
  }
}
