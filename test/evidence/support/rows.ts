/** Rows of a population with something of everything. */
import {
  checkNames,
  outcomes,
  type Check,
  type CheckResult,
  type Outcome,
  type PopulationRow,
} from '../../../src/core/evidence/model-rows.ts';
import {
  asActionId,
  asAgentId,
  asApprovalId,
  asGroupId,
  asPersonId,
  asPolicyId,
  asSha256Hex,
} from '../../../src/core/ids.ts';
import { line } from '../../../src/core/render/shown.ts';

export const t0 = Date.UTC(2026, 9, 1);
export const hour = 3_600_000;
export const hostile = '=HYPERLINK("http://evil.example","click")\u202E _x0041_ Łukasz 王小明 שלום';

export const rosa = { person: asPersonId('rosa'), name: line('Rosa Diaz') };
export const sam = { person: asPersonId('sam'), name: line('Sam Lee') };
export const wei = { person: asPersonId('wei'), name: line('Нина Łuk 王') };

const headlines = [
  'Export 5,204 rows of customers · prod',
  'Refund 480.00 EUR to order 88213 · prod',
  'Grant role admin to crm-bot@corp.example · prod',
  'Read file /srv/reports/2026/q3/summary-of-the-third-quarter-with-a-very-long-name.md',
  'Delete cluster eu-west-3/blue · prod',
];

export function rowAt(row: number, outcome: Outcome, more: Partial<PopulationRow> = {}): PopulationRow {
  const index = 40 + row * 6;
  const askedAtMs = t0 + row * 5 * hour;
  const approved = outcome === 'approved';
  const ran = approved || outcome === 'allowed' || outcome === 'observed' || outcome === 'broken_glass';
  const check = (result: CheckResult, name: (typeof checkNames)[number]): Check => ({
    name,
    result,
    why: line(`Entry ${index + 3} gave the permission and entry ${index + 4} is the start.`),
    entries: [index + 3, index + 4],
  });
  return {
    row,
    index,
    askedAtMs,
    erased: outcome === 'unknown',
    hidden: false,
    action: asActionId(`act_${String(row).padStart(26, '0')}`),
    approval: approved ? asApprovalId(`apr_${String(row).padStart(26, '0')}`) : null,
    execution: null,
    askedBy: 'agent',
    agent: asAgentId(row % 3 === 0 ? 'ops-bot' : 'crm-bot'),
    owners: [sam.person],
    onBehalfOf: row % 2 === 0 ? rosa.person : null,
    session: 'run-2026-10',
    operation: 'crm___export_rows',
    resource: { type: 'Dataset', id: 'customers' },
    environment: 'prod',
    effect: 'export',
    headline: line(headlines[row % headlines.length] ?? ''),
    enforcement: row % 4 === 0 ? 'cooperative' : 'mediated',
    mode: outcome === 'observed' ? 'observe' : 'enforce',
    policyVersion: 3,
    directoryVersion: 2,
    policyDigest: 'sha256:11'.padEnd(71, '1'),
    verdict: outcome === 'allowed' ? 'allow' : outcome === 'denied_by_policy' ? 'deny' : 'review',
    code: outcome === 'denied_by_policy' ? 'forbidden' : null,
    policies: [
      { id: asPolicyId('export.customers'), title: line('Bulk export of customer data needs a data owner') },
    ],
    requirements: [
      {
        id: asPolicyId('export.customers'),
        title: line('Bulk export of customer data needs a data owner'),
        approvers: asGroupId('data-owners'),
        quorum: 1,
      },
    ],
    reviews:
      approved || outcome === 'denied_by_person'
        ? [
            {
              ...rosa,
              standingInFor: null,
              decision: approved ? 'approve' : 'deny',
              reason: line(approved ? 'Quarterly report, ticket 4411' : 'Wrong quarter'),
              channel: 'web',
              atMs: askedAtMs + 400_000,
              index: index + 2,
              afterMs: 400_000,
              shown: asSha256Hex('ab'.repeat(32)),
              signed: row % 2 === 0,
            },
          ]
        : [],
    outcome,
    granted: ran,
    reason:
      outcome === 'expired'
        ? line('Nobody decided within 4 h')
        : outcome === 'denied_by_person'
          ? line('Wrong quarter')
          : null,
    decidedBy: approved ? line('Rosa Diaz') : line('policy'),
    decidedIndex: index + 3,
    decidedAtMs: askedAtMs + 400_100,
    startedIndex: ran ? index + 4 : null,
    startedAtMs: ran ? askedAtMs + 401_000 : null,
    endedIndex: ran ? index + 5 : null,
    endedAtMs: ran ? askedAtMs + 403_000 : null,
    decisionMs: approved ? 400_100 : 12,
    lagMs: ran ? 900 : null,
    run: ran ? (row % 11 === 0 ? 'failed' : 'succeeded') : 'not_run',
    outcomeBy: ran ? 'gate' : null,
    settledBy: null,
    glass: outcome === 'broken_glass' ? 'glass_1' : null,
    subject: asSha256Hex('cd'.repeat(32)),
    entries: [index, index + 1, index + 2, index + 3, index + 4, index + 5],
    checks: checkNames.map((name) =>
      check(
        ran || approved
          ? name === 'decided_before_executed' && row % 4 === 0
            ? 'not_applicable'
            : row === 6 && name === 'quorum_was_met'
              ? 'failed'
              : 'passed'
          : 'not_applicable',
        name,
      ),
    ),
    ...more,
  };
}

export function rowsOf(count: number): readonly PopulationRow[] {
  const mix: readonly Outcome[] = [
    'allowed',
    'allowed',
    'approved',
    'allowed',
    'denied_by_policy',
    'approved',
    'denied_by_person',
    ...outcomes,
  ];
  return Array.from({ length: count }, (_, at) =>
    rowAt(
      at + 1,
      mix[at % mix.length] ?? 'allowed',
      at === 3 ? { headline: line(`Export ${hostile}`), session: hostile } : {},
    ),
  );
}
