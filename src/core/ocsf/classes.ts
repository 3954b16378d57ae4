/**
 * Which class of OCSF each type of entry is, and which activity of it: one row for each type, so that a new type does not compile
 * without one. docs/siem.md has the same table for people.
 */
import type { EntryType } from '../entry.ts';

/** Classes that are used, with their captions and those of their activities; 0 and 99 are the same in each. */
export const classes = {
  account: {
    uid: 3001,
    name: 'Account Change',
    activities: { 2: 'Enable', 5: 'Disable', 10: 'MFA Factor Enable', 11: 'MFA Factor Disable' },
  },
  authentication: { uid: 3002, name: 'Authentication', activities: { 1: 'Logon', 2: 'Logoff' } },
  session: { uid: 3003, name: 'Authorize Session', activities: { 1: 'Assign Privileges' } },
  entity: {
    uid: 3004,
    name: 'Entity Management',
    activities: {
      1: 'Create',
      2: 'Read',
      3: 'Update',
      4: 'Delete',
      8: 'Enable',
      9: 'Disable',
      10: 'Activate',
      11: 'Deactivate',
    },
  },
  access: {
    uid: 3005,
    name: 'User Access Management',
    activities: { 1: 'Assign Privileges', 2: 'Revoke Privileges' },
  },
  lifecycle: { uid: 6002, name: 'Application Lifecycle', activities: { 3: 'Start', 4: 'Stop' } },
  api: { uid: 6003, name: 'API Activity', activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' } },
} as const satisfies Record<
  string,
  { readonly uid: number; readonly name: string; readonly activities: Readonly<Record<number, string>> }
>;
export type ClassName = keyof typeof classes;

/** The activity of an action is what its profile says that it does. */
export type Activity = number | 'of the action';

export interface Row {
  readonly in: ClassName;
  readonly activity: Activity;
  /** What the activity is called where it is 99, "Other". */
  readonly called?: string;
  /** What an entity is: `entity.type`. */
  readonly entity?: string;
}

const ofAction: Row = { in: 'api', activity: 'of the action' };
const other = (name: ClassName, called: string): Row => ({ in: name, activity: 99, called });
const entity = (activity: number, type: string): Row => ({ in: 'entity', activity, entity: type });
const account = (activity: number): Row => ({ in: 'account', activity });
const access = (activity: 1 | 2): Row => ({ in: 'access', activity });

export const rows: { readonly [One in EntryType]: Row } = {
  'action.asked': ofAction,
  'action.refused': ofAction,
  'approval.opened': ofAction,
  // What gives the grant: one operation, once, for some minutes.
  'approval.approved': { in: 'session', activity: 1 },
  'approval.denied': ofAction,
  'approval.expired': ofAction,
  'approval.cancelled': ofAction,
  'review.recorded': ofAction,
  'review.refused': ofAction,
  'grant.expired': ofAction,
  'execution.started': ofAction,
  'execution.refused': ofAction,
  'execution.succeeded': ofAction,
  'execution.failed': ofAction,
  'execution.unknown': ofAction,
  'execution.settled': ofAction,
  'outcome.delivered': ofAction,
  'preview.read': { in: 'api', activity: 2 },
  'question.refused': ofAction,
  'question.passed': ofAction,
  'policies.accepted': entity(3, 'Policy set'),
  'policies.refused': entity(3, 'Policy set'),
  'directory.accepted': entity(3, 'Directory'),
  'servers.accepted': entity(3, 'Servers and operations'),
  'config.refused': entity(3, 'Configuration'),
  'tool.pinned': entity(1, 'Tool definition'),
  'tool.waiting': entity(1, 'Tool definition'),
  'tool.disabled': entity(9, 'Tool definition'),
  'tool.accepted': entity(8, 'Tool definition'),
  'agent.stopped': account(5),
  'operation.paused': access(2),
  'stop.lifted': access(1),
  'observe.changed': entity(3, 'Configuration'),
  'token.issued': entity(1, 'Token'),
  'token.revoked': entity(4, 'Token'),
  'passkey.granted': other('account', 'MFA Factor Permit'),
  'passkey.enrolled': account(10),
  'passkey.refused': other('account', 'MFA Factor Refuse'),
  'passkey.confirmed': other('account', 'MFA Factor Confirm'),
  'passkey.revoked': account(11),
  'sign_in.issued': other('authentication', 'Sign-in Link'),
  'person.signed_in': { in: 'authentication', activity: 1 },
  'person.signed_out': { in: 'authentication', activity: 2 },
  'account.linked': other('account', 'Link'),
  'account.unlinked': other('account', 'Unlink'),
  'account.confirmed': other('account', 'Confirm'),
  'account.refused': { in: 'authentication', activity: 1 },
  'membership.changed': access(1),
  'delegation.made': access(1),
  'delegation.ended': access(2),
  'glass.opened': access(1),
  'glass.closed': access(2),
  'glass.reviewed': entity(3, 'Break-glass'),
  'glass.refused': access(1),
  'notice.posted': { in: 'api', activity: 1 },
  'notice.failed': { in: 'api', activity: 1 },
  'click.refused': { in: 'api', activity: 3 },
  'log.opened': entity(1, 'Log'),
  'log.heartbeat': other('lifecycle', 'Heartbeat'),
  'log.late': other('lifecycle', 'Late'),
  'log.caught_up': other('lifecycle', 'Caught up'),
  'log.exported': entity(2, 'Log'),
  'key.begun': entity(10, 'Log key'),
  'key.ended': entity(11, 'Log key'),
  'payloads.erased': entity(4, 'Log payloads'),
  'hold.placed': entity(1, 'Legal hold'),
  'hold.released': entity(4, 'Legal hold'),
  'evidence.made': entity(1, 'Evidence'),
  'evidence.answered': entity(3, 'Evidence'),
  'reconciliation.recorded': entity(1, 'Reconciliation'),
  'gate.started': { in: 'lifecycle', activity: 3 },
  'gate.stopped': { in: 'lifecycle', activity: 4 },
  'store.restored': other('lifecycle', 'Restore'),
};
