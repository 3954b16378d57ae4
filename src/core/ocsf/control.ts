/**
 * What the gate decided, in the words of the profile `security_control`: action, disposition, policies, and whether somebody should
 * be woken. Severity and status with it. `disposition_id` 8 (Approved) and 25 (Rejected) are what people said; 1 (Allowed) and 2
 * (Blocked) what policies did; 14 (Delayed) is what waits for people; 17 (Logged) what was only observed.
 */
import type { Asked } from '../case.ts';
import type { Entry, EntryType } from '../entry.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { brief, pickText } from '../render/read.ts';
import { short } from '../render/shown.ts';

const actions = { 0: 'Unknown', 1: 'Allowed', 2: 'Denied' } as const;
const dispositions = {
  1: 'Allowed',
  2: 'Blocked',
  8: 'Approved',
  14: 'Delayed',
  16: 'No Action',
  17: 'Logged',
  19: 'Alert',
  25: 'Rejected',
  26: 'Unauthorized',
} as const;
type Decided = readonly [action: keyof typeof actions, disposition: keyof typeof dispositions];

const fixed: Partial<Record<EntryType, Decided>> = {
  'action.refused': [2, 25],
  'approval.opened': [0, 14],
  'approval.approved': [1, 8],
  'approval.expired': [2, 16],
  'approval.cancelled': [2, 16],
  'review.refused': [2, 26],
  'grant.expired': [2, 16],
  'execution.started': [1, 1],
  'execution.refused': [2, 2],
  'execution.succeeded': [1, 1],
  'execution.failed': [1, 1],
  'execution.unknown': [1, 1],
  'question.refused': [2, 2],
  'question.passed': [1, 1],
  'click.refused': [2, 26],
  'glass.opened': [1, 19],
  'glass.closed': [2, 16],
  'glass.refused': [2, 26],
  'agent.stopped': [2, 2],
  'operation.paused': [2, 2],
  'tool.disabled': [2, 2],
  'account.refused': [2, 26],
  'passkey.refused': [2, 26],
  'config.refused': [2, 25],
  'policies.refused': [2, 25],
};

function decidedOf({ type, data, by }: Entry): Decided | undefined {
  if (type === 'action.asked') {
    if (pickText(data, ['glass']) !== undefined) return [1, 19];
    if (pickText(data, ['mode']) === 'observe') return [1, 17];
    const effect = pickText(data['verdict'], ['effect']);
    return effect === 'allow' ? [1, 1] : effect === 'review' ? [0, 14] : [2, 2];
  }
  if (type === 'review.recorded') return pickText(data, ['decision']) === 'approve' ? [1, 8] : [2, 25];
  if (type === 'approval.denied') return by.kind === 'person' ? [2, 25] : [2, 2];
  return fixed[type];
}

/** Passed, or was opened, under break-glass; denied as unsafe; came out of a backup. */
function isAlert({ type, data }: Entry): boolean {
  return (
    type.startsWith('glass.') ||
    type === 'store.restored' ||
    pickText(data, ['glass']) !== undefined ||
    data['unsafe'] === true
  );
}

/** The attributes of the profile; undefined where the gate decided nothing. */
export function controlOf(entry: Entry, asked: Asked | null): JsonObject | undefined {
  const decided = entry.erased === true ? undefined : decidedOf(entry);
  const alert = isAlert(entry);
  if (decided === undefined && !alert) return undefined;
  const [action, disposition] = decided ?? [0, 19];
  const authorizations = authorizationsOf(entry.data['verdict'], asked);
  return {
    action_id: action,
    action: actions[action],
    disposition_id: disposition,
    disposition: dispositions[disposition],
    is_alert: alert,
    ...(authorizations.length === 0 ? {} : { authorizations }),
  };
}

/** Policies of one verdict, at most: there is one for each clause that mattered. */
const policiesMax = 50;

/** The policies that had a part in the verdict; of the entry where it holds one, else of its case. */
function authorizationsOf(verdict: JsonValue | undefined, asked: Asked | null): readonly JsonObject[] {
  const explanation = isJsonObject(verdict) ? verdict['explanation'] : undefined;
  const said = isJsonObject(explanation) ? explanation['policies'] : undefined;
  const policies =
    (isJsonArray(said) ? said : undefined) ??
    (asked === null ? [] : asked.verdict.explanation.policies.map((one) => ({ ...one })));
  return policies.slice(0, policiesMax).flatMap((one) => {
    const id = pickText(one, ['id']);
    if (id === undefined) return [];
    const title = pickText(one, ['title']);
    return [
      {
        decision: pickText(one, ['effect']) === 'permit' ? 'allowed' : 'denied',
        policy: { uid: short(id, 200), ...(title === undefined ? {} : { name: short(title, 300) }) },
      },
    ];
  });
}

const failures: ReadonlySet<EntryType> = new Set<EntryType>([
  'action.refused',
  'approval.denied',
  'approval.expired',
  'review.refused',
  'grant.expired',
  'execution.refused',
  'execution.failed',
  'question.refused',
  'policies.refused',
  'config.refused',
  'passkey.refused',
  'account.refused',
  'glass.refused',
  'notice.failed',
  'click.refused',
  'log.late',
]);
const open: ReadonlySet<EntryType> = new Set<EntryType>([
  'approval.opened',
  'execution.started',
  'execution.unknown',
  'tool.waiting',
]);
const statuses = { 0: 'Unknown', 1: 'Success', 2: 'Failure' } as const;

export function statusOf({ type, data, erased }: Entry): JsonObject {
  const asked = type === 'action.asked' ? pickText(data['verdict'], ['effect']) : undefined;
  const id: keyof typeof statuses =
    erased === true || open.has(type) || asked === 'review' || asked === 'allow'
      ? 0
      : failures.has(type) || asked === 'deny'
        ? 2
        : type === 'execution.settled'
          ? settled(data)
          : 1;
  const code = pickText(data, ['code']);
  const detail = pickText(data, ['reason']) ?? pickText(data, ['detail']);
  return {
    status_id: id,
    status: statuses[id],
    ...(code === undefined ? {} : { status_code: short(code, 80) }),
    ...(detail === undefined ? {} : { status_detail: brief(detail, 1000) }),
  };
}

const settled = (data: JsonObject): 0 | 1 | 2 => {
  const status = pickText(data, ['status']);
  return status === 'succeeded' ? 1 : status === 'failed' ? 2 : 0;
};

const severities = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const;
const graver: Partial<Record<EntryType, keyof typeof severities>> = {
  'action.refused': 2,
  'approval.denied': 2,
  'execution.failed': 2,
  'notice.failed': 2,
  'review.refused': 3,
  'click.refused': 3,
  'execution.unknown': 3,
  'config.refused': 3,
  'passkey.refused': 3,
  'account.refused': 3,
  'agent.stopped': 3,
  'operation.paused': 3,
  'tool.disabled': 3,
  'observe.changed': 3,
  'payloads.erased': 3,
  'log.late': 3,
  'policies.refused': 4,
};

export function severityOf(entry: Entry): JsonObject {
  const denied = entry.type === 'action.asked' && pickText(entry.data['verdict'], ['effect']) === 'deny';
  const id = isAlert(entry) ? 4 : (graver[entry.type] ?? (denied ? 2 : 1));
  return { severity_id: id, severity: severities[id] };
}
