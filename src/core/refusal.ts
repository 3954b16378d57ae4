/**
 * Every expected "no" of the gate: a code that callers can rely on, and the evidence that an operator needs. Two tables,
 * complete by type, turn a code into an HTTP status and a title.
 */

/** The stable codes of design §8, by the HTTP status that they answer with. */
export const codesByStatus = {
  400: [
    'bad_json',
    'duplicate_key',
    'number_range',
    'bad_unicode',
    'reserved_key',
    'too_deep',
    'input_invalid',
  ],
  401: ['unauthenticated'],
  403: [
    'no_permit',
    'forbidden',
    'policy_error',
    'policy_changed',
    'nobody_left',
    'not_a_person',
    'no_self_approval',
    'not_an_approver',
    'wrong_channel',
    'step_up_required',
    'shown_incomplete',
    'reason_required',
    'tool_disabled',
    'not_an_agent',
    'not_permitted',
    'denied',
    'expired',
    'cancelled',
  ],
  404: ['not_found'],
  409: [
    'approval_pending',
    'approval_closed',
    'already_reviewed',
    'digest_mismatch',
    'grant_consumed',
    'run_through_mcp',
    'idempotency_conflict',
    'glass_unreviewed',
    'on_hold',
    'not_over',
  ],
  413: ['too_large'],
  429: ['quota', 'cooldown', 'operation_paused', 'agent_stopped'],
  502: ['upstream_unavailable'],
  503: ['audit_unavailable'],
} as const;

type ByStatus = typeof codesByStatus;
export type Code = ByStatus[keyof ByStatus][number];

/** A refusal is a value: it is returned, logged and shown, never thrown. */
export interface Refusal {
  readonly code: Code;
  /** One sentence for whoever asked; what to do next, where there is something to do. Holds no secret. */
  readonly detail: string;
  /** What the rule saw, for operators and the log; shapes differ by code. Holds no secret. */
  readonly evidence?: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
}

export const refuse = (code: Code, detail: string, evidence?: Refusal['evidence']): Refusal =>
  evidence === undefined ? { code, detail } : { code, detail, evidence };

const statuses = new Map<Code, number>(
  Object.entries(codesByStatus).flatMap(([status, codes]) =>
    codes.map((code): [Code, number] => [code, Number(status)]),
  ),
);

/** The HTTP status of a code (design §8). */
export function statusOf(code: Code): number {
  const status = statuses.get(code);
  if (status === undefined) throw new TypeError(`no status for code ${code}`);
  return status;
}

/** A short title for a problem document (RFC 9457 `title`), the same for each occurrence of a code. */
export const titles: Readonly<Record<Code, string>> = {
  bad_json: 'The request is not valid JSON',
  duplicate_key: 'An object names the same key twice',
  number_range: 'A number cannot be represented exactly',
  bad_unicode: 'A string is not valid Unicode',
  reserved_key: 'A key is reserved',
  too_deep: 'The value is nested too deeply',
  input_invalid: 'The input does not fit its schema',
  unauthenticated: 'A valid token is required',
  no_permit: 'No policy permits this action',
  forbidden: 'A policy forbids this action',
  policy_error: 'The policies could not be evaluated',
  policy_changed: 'The policies, the people or the tool changed after this was asked',
  nobody_left: 'Not enough people are left who may approve this',
  not_a_person: 'Only a person may review',
  no_self_approval: 'Nobody approves their own action',
  not_an_approver: 'You are not an approver of this action',
  wrong_channel: 'This must be reviewed in another channel',
  step_up_required: 'A passkey is required',
  shown_incomplete: 'The action was not shown whole',
  reason_required: 'A reason is required',
  tool_disabled: 'The tool is disabled',
  not_an_agent: 'Only an agent may ask for actions',
  not_permitted: 'You are not permitted to do this',
  denied: 'The action was denied',
  expired: 'The approval expired',
  cancelled: 'The approval was cancelled',
  not_found: 'Not found',
  approval_pending: 'The action still waits for approval',
  approval_closed: 'The approval is closed',
  already_reviewed: 'You have reviewed this already',
  digest_mismatch: 'The review names another action',
  grant_consumed: 'The action has run already',
  run_through_mcp: 'This action runs through MCP',
  idempotency_conflict: 'The idempotency key was used for another request',
  glass_unreviewed: 'The last break-glass was not reviewed yet',
  on_hold: 'A legal hold keeps this from being erased',
  not_over: 'This is not over yet',
  too_large: 'The request is too large',
  quota: 'A limit is reached',
  cooldown: 'The same action was denied as unsafe a short time ago',
  operation_paused: 'The operation is paused for this agent',
  agent_stopped: 'The agent is stopped',
  upstream_unavailable: 'The upstream cannot be reached',
  audit_unavailable: 'The log cannot be written, so nothing may run',
};
