/**
 * The table of the pages: every path, and whether it only shows or changes something. Names of agents, people and tools are
 * anybody's text, so they travel in the query or in a form and never as a step of a path, where `..` would mean another.
 */

/** What only shows: GET. */
export type Show =
  | 'home'
  | 'inbox'
  | 'approval'
  | 'log'
  | 'entry'
  | 'policies'
  | 'agents'
  | 'agent'
  | 'people'
  | 'person'
  | 'servers'
  | 'tool'
  | 'status'
  | 'receipt'
  | 'trustedRoot'
  | 'reconciliations'
  | 'reconciliation'
  | 'passkeys'
  | 'glass'
  | 'retention'
  | 'evidence'
  | 'account'
  | 'link'
  | 'events'
  | 'asset';

/** What changes something: POST. */
export type Change =
  | 'unlink'
  | 'accountConfirm'
  | 'groupConfirm'
  | 'sessionEnd'
  | 'notesRead'
  | 'chatCode'
  | 'chatConfirm'
  | 'linkLook'
  | 'linkConfirm'
  | 'review'
  | 'awayBegin'
  | 'awayEnd'
  | 'cancel'
  | 'settle'
  | 'stopHere'
  | 'stop'
  | 'lift'
  | 'accept'
  | 'glassAsk'
  | 'glassEnd'
  | 'glassReview'
  | 'erase'
  | 'holdPlace'
  | 'holdRelease'
  | 'sign'
  | 'passkeyOptions'
  | 'passkeyEnrol'
  | 'passkeyRevoke'
  | 'passkeyConfirm'
  | 'passkeyGrant'
  | 'logExport'
  | 'evidenceMake'
  | 'evidenceAnswer';

export type Route =
  | { readonly changes: false; readonly to: Show; readonly id: string }
  | { readonly changes: true; readonly to: Change; readonly id: string };

/** Every page that shows, by the form of its path. Ids in paths: short, and of our own alphabet. */
export const shows: readonly (readonly [to: Show, pattern: RegExp])[] = [
  ['home', /^\/$/],
  ['inbox', /^\/inbox$/],
  ['approval', /^\/approvals\/([\w-]{1,80})$/],
  ['log', /^\/log$/],
  ['entry', /^\/log\/(\d{1,15})$/],
  ['receipt', /^\/log\/(\d{1,15})\/receipt$/],
  ['trustedRoot', /^\/receipts\/trusted_root\.json$/],
  ['policies', /^\/policies$/],
  ['agents', /^\/agents$/],
  ['agent', /^\/agent$/],
  ['people', /^\/people$/],
  ['person', /^\/person$/],
  ['servers', /^\/servers$/],
  ['tool', /^\/tool$/],
  ['status', /^\/status$/],
  ['reconciliations', /^\/reconciliations$/],
  ['reconciliation', /^\/reconciliations\/(rec_[0-9a-z]{26})$/],
  ['passkeys', /^\/passkeys$/],
  ['glass', /^\/break-glass$/],
  ['retention', /^\/retention$/],
  ['evidence', /^\/evidence$/],
  ['account', /^\/account$/],
  ['link', /^\/link$/],
  ['events', /^\/events$/],
  ['asset', /^\/assets\/([\w.-]{1,40})$/],
];

const changes: readonly (readonly [to: Change, pattern: RegExp])[] = [
  ['review', /^\/approvals\/([\w-]{1,80})\/review$/],
  ['cancel', /^\/approvals\/([\w-]{1,80})\/cancel$/],
  ['stopHere', /^\/approvals\/([\w-]{1,80})\/stop-agent$/],
  ['sign', /^\/approvals\/([\w-]{1,80})\/sign$/],
  ['passkeyOptions', /^\/passkeys\/options$/],
  ['passkeyEnrol', /^\/passkeys\/enrol$/],
  ['passkeyRevoke', /^\/passkeys\/revoke$/],
  ['passkeyConfirm', /^\/passkeys\/confirm$/],
  ['passkeyGrant', /^\/passkeys\/grant$/],
  ['unlink', /^\/account\/unlink$/],
  ['accountConfirm', /^\/account\/confirm$/],
  ['groupConfirm', /^\/account\/confirm-group$/],
  ['sessionEnd', /^\/account\/session-end$/],
  ['notesRead', /^\/account\/notes$/],
  ['chatCode', /^\/account\/code$/],
  ['chatConfirm', /^\/account\/code-confirm$/],
  ['linkLook', /^\/link\/look$/],
  ['linkConfirm', /^\/link\/confirm$/],
  ['settle', /^\/executions\/([\w-]{1,80})\/settle$/],
  ['stop', /^\/agent\/stop$/],
  ['lift', /^\/agent\/lift$/],
  ['awayBegin', /^\/account\/away$/],
  ['awayEnd', /^\/account\/away-end$/],
  ['accept', /^\/tool\/accept$/],
  ['glassAsk', /^\/break-glass\/ask$/],
  ['glassEnd', /^\/break-glass\/end$/],
  ['glassReview', /^\/break-glass\/review$/],
  ['erase', /^\/retention\/erase$/],
  ['holdPlace', /^\/retention\/hold$/],
  ['holdRelease', /^\/retention\/release$/],
  ['logExport', /^\/log\/export$/],
  ['evidenceMake', /^\/evidence\/make$/],
  ['evidenceAnswer', /^\/evidence\/answer$/],
];

/** The route of a path; undefined where it is none of the pages'. */
export function routeOf(pathname: string): Route | undefined {
  for (const [to, pattern] of shows) {
    const match = pattern.exec(pathname);
    if (match !== null) return { changes: false, to, id: match[1] ?? '' };
  }
  for (const [to, pattern] of changes) {
    const match = pattern.exec(pathname);
    if (match !== null) return { changes: true, to, id: match[1] ?? '' };
  }
  return undefined;
}

/** A path of ours with its query, each value encoded. */
export function pathOf(path: string, query: Readonly<Record<string, string | null>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== '') search.set(name, value);
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}
