/** A model of evidence with something of everything, made without a gate: for tests of how it is rendered. */
import type { Evidence } from '../../../src/core/evidence/model.ts';
import {
  checkNames,
  outcomes,
  type PopulationRow,
  type Sample,
} from '../../../src/core/evidence/model-rows.ts';
import {
  asAgentId,
  asApprovalId,
  asDigest,
  asGroupId,
  asPersonId,
  asPolicyId,
  asSha256Hex,
} from '../../../src/core/ids.ts';
import { line } from '../../../src/core/render/shown.ts';
import { hour, rosa, sam, t0, wei } from './rows.ts';

const tally = <K extends string>(keys: readonly K[], of: (key: K) => number): Readonly<Record<K, number>> =>
  // Every key is there.
  Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<K, number>;

export function sampleOf(row: PopulationRow): Sample {
  return {
    row,
    timeline: [
      {
        index: row.index,
        atMs: row.askedAtMs,
        type: 'action.asked',
        tone: 'plain',
        text: line(`crm-bot asked: ${row.headline}`),
        erased: false,
      },
      {
        index: row.index + 1,
        atMs: row.askedAtMs,
        type: 'approval.opened',
        tone: 'waiting',
        text: line('It was held: Bulk export of customer data needs a data owner (1 of data-owners).'),
        erased: false,
      },
      {
        index: row.index + 2,
        atMs: row.askedAtMs + 400_000,
        type: 'review.recorded',
        tone: 'good',
        text: line('Rosa Diaz approved it on the web: Quarterly report, ticket 4411'),
        erased: false,
      },
      {
        index: row.index + 3,
        atMs: row.askedAtMs + 400_100,
        type: 'approval.approved',
        tone: 'good',
        text: line('Approved: it may run once within 15 min.'),
        erased: false,
      },
      {
        index: row.index + 4,
        atMs: row.askedAtMs + 401_000,
        type: 'execution.started',
        tone: 'plain',
        text: line('The gate started it.'),
        erased: false,
      },
      {
        index: row.index + 5,
        atMs: row.askedAtMs + 403_000,
        type: 'execution.succeeded',
        tone: 'good',
        text: line('It succeeded.'),
        erased: false,
      },
    ],
    saw: row.reviews.map((one) => ({
      person: one.person,
      name: one.name,
      channel: one.channel,
      shown: one.shown,
      atMs: one.atMs,
    })),
    trace: {
      text: line('More than 1,000 rows are exported, so a data owner has to approve.'),
      clauses: [
        {
          policy: asPolicyId('export.customers'),
          text: line('context.input.rows > 1000'),
          left: line('5204'),
          right: line('1000'),
        },
      ],
    },
    asked: { input: line('{"dataset":"customers","rows":5204}'), reason: line('The quarterly report') },
    receipts: [row.index + 3, row.index + 5],
  };
}

export function evidenceOf(rows: readonly PopulationRow[], samples: readonly number[] = []): Evidence {
  const exception = (
    name: string,
    kind: Evidence['exceptions'][number]['kind'],
    text: string,
    answered = false,
  ): Evidence['exceptions'][number] => ({
    name,
    kind,
    text: line(text),
    fromMs: t0,
    toMs: null,
    entries: [412, 413],
    rows: [12],
    count: 2,
    answers: answered
      ? [
          {
            exception: name,
            text: line('Planned maintenance, change 2231; nothing could reach the targets meanwhile.'),
            by: sam.person,
            byName: sam.name,
            atMs: t0 + 40 * 24 * hour,
            index: 900,
          },
        ]
      : [],
  });
  const last = 39 + rows.length * 6 + 10;
  const checkpoint = (size: number, atMs: number): NonNullable<Evidence['log']['end']> => ({
    origin: 'gate.corp.example',
    size,
    root: Buffer.alloc(32, size % 251).toString('base64'),
    note: `gate.corp.example\n${size}\n${Buffer.alloc(32, size % 251).toString('base64')}\n\n— gate.corp.example ${Buffer.alloc(68, 9).toString('base64')}\n`,
    atMs,
    cosignedBy: [],
    cosignatures: [],
    stamp: null,
    stampedAtMs: null,
  });
  const accepted = {
    how: null,
    howWords: line('approved by people'),
    proposedBy: sam.person,
    acceptedBy: [rosa.person],
    secondPerson: 'yes',
    approval: asApprovalId('apr_0000000000000000000000aaaa'),
    atMs: t0 + 30 * hour,
    index: 77,
    changes: [line('export.customers: threshold 5,000 → 1,000 rows')],
  } as const;
  const person = (
    one: typeof rosa,
    groups: readonly string[],
  ): {
    readonly person: typeof rosa.person;
    readonly name: typeof rosa.name;
    readonly groups: readonly ReturnType<typeof asGroupId>[];
    readonly active: boolean;
  } => ({
    ...one,
    groups: groups.map(asGroupId),
    active: true,
  });
  const roster = {
    version: 2,
    people: [
      person(rosa, ['data-owners']),
      person(sam, ['data-owners', 'platform', 'audit']),
      person(wei, ['data-owners']),
    ],
    operators: asGroupId('platform'),
    auditors: asGroupId('audit'),
    admins: asGroupId('platform'),
    breakGlass: asGroupId('platform'),
  };
  return {
    v: 1,
    period: { fromMs: t0, toMs: Date.UTC(2026, 10, 1) },
    madeAtMs: Date.UTC(2026, 10, 3, 9, 12, 44),
    madeBy: { kind: 'person', id: sam.person, name: sam.name },
    generator: { name: 'Countersign', version: '0.1.0' },
    gate: 'https://gate.corp.example',
    command: 'countersign evidence --from 2026-10-01 --to 2026-11-01 --as-of 1240',
    query: {
      fromMs: t0,
      toMs: Date.UTC(2026, 10, 1),
      asOf: 1240,
      samples: samples.length === 0 ? null : { kind: 'rows', rows: samples },
    },
    log: {
      origin: 'gate.corp.example',
      from: 40,
      to: last,
      count: last - 39,
      headBefore: asSha256Hex('0f'.repeat(32)),
      headAfter: asSha256Hex('3c'.repeat(32)),
      start: checkpoint(40, t0 - hour),
      end: checkpoint(last + 1, Date.UTC(2026, 10, 1, 1)),
      tier: 'tamper-detecting',
      quorum: 0,
      keys: [
        {
          id: '9fb1c2d3',
          use: 'log',
          origin: 'gate.corp.example',
          spki: Buffer.alloc(44, 3).toString('base64'),
          begunAtMs: t0 - 100 * hour,
          begunAt: 0,
          endedAtMs: null,
        },
        {
          id: 'ee'.repeat(32),
          use: 'receipt',
          origin: null,
          spki: Buffer.alloc(91, 4).toString('base64'),
          begunAtMs: t0 - 100 * hour,
          begunAt: 0,
          endedAtMs: null,
        },
      ],
    },
    completeness: {
      asked: rows.length,
      rows: rows.length,
      entries: last - 39,
      dense: true,
      complete: true,
      how: line(
        `Count the entries of type action.asked with indexes 40 to ${last}: they are ${rows.length}, as many as the population has rows, and no index between is missing.`,
      ),
    },
    counts: {
      rows: rows.length,
      byOutcome: tally(outcomes, (one) => rows.filter((row) => row.outcome === one).length),
      byRun: tally(
        ['not_run', 'running', 'succeeded', 'failed', 'unknown'],
        (one) => rows.filter((row) => row.run === one).length,
      ),
      byEnforcement: {
        mediated: rows.filter((row) => row.enforcement === 'mediated').length,
        cooperative: rows.filter((row) => row.enforcement === 'cooperative').length,
        unknown: 0,
      },
      observed: 1,
      underGlass: 1,
      erased: 1,
      hidden: 0,
      gates: 2,
      byCheck: tally(
        checkNames,
        (name) =>
          // A table of four counts, each of one result.
          tally(
            ['passed', 'failed', 'unknown', 'not_applicable'],
            (result) =>
              rows.filter((row) => row.checks.some((one) => one.name === name && one.result === result))
                .length,
          ) as unknown as number,
      ) as unknown as Evidence['counts']['byCheck'],
      failed: [{ row: 6, index: 76, check: 'quorum_was_met' }],
      unsaid: tally(
        checkNames,
        (name) =>
          // Rows in the place of a number.
          rows
            .filter((row) => row.checks.some((one) => one.name === name && one.result === 'unknown'))
            .map((row) => row.row)
            .slice(0, 20) as unknown as number,
      ) as unknown as Evidence['counts']['unsaid'],
      ranCooperative: rows.filter((row) => row.enforcement === 'cooperative' && row.startedIndex !== null)
        .length,
    },
    attempts: [
      { code: 'agent_stopped', count: 4 },
      { code: 'input_invalid', count: 2 },
    ],
    refusedReviews: [{ code: 'no_self_approval', count: 3 }],
    carriedIn: { count: 1, indexes: [31], more: 0 },
    scope: {
      agents: [
        {
          agent: asAgentId('crm-bot'),
          owners: [sam.person],
          groups: [],
          active: true,
          asked: Math.ceil(rows.length * 0.66),
          fromMs: null,
          fromIndex: null,
          toMs: null,
          toIndex: null,
        },
        {
          agent: asAgentId('ops-bot'),
          owners: [rosa.person, sam.person],
          groups: [],
          active: true,
          asked: Math.floor(rows.length * 0.33),
          fromMs: t0 + 50 * hour,
          fromIndex: 60,
          toMs: null,
          toIndex: null,
        },
      ],
      servers: [
        {
          server: 'crm',
          reached: 'url',
          mode: 'enforce',
          modes: { list_rows: 'observe' },
          asked: rows.length,
          fromMs: null,
          fromIndex: null,
          toMs: null,
          toIndex: null,
        },
      ],
      tools: [
        {
          operation: 'crm___export_rows',
          event: 'pinned',
          by: line('by the gate'),
          hash: null,
          atMs: t0 + hour,
          index: 44,
        },
      ],
      operations: [
        {
          operation: 'crm___export_rows',
          declared: false,
          asked: rows.length,
          mediated: 30,
          cooperative: 10,
          observed: 1,
        },
      ],
      observed: [
        { name: 'crm___list_rows', fromMs: t0 + 20 * hour, fromIndex: 50, toMs: t0 + 60 * hour, toIndex: 90 },
      ],
      downtimes: [
        {
          sinceMs: t0 + 100 * hour,
          sinceIndex: 120,
          untilMs: t0 + 101 * hour,
          untilIndex: 121,
          clean: false,
          lost: 1,
        },
      ],
      longestSilence: { ms: 55 * 60_000, fromIndex: 212 },
      cut: [],
    },
    exceptions: [
      exception('downtime/121', 'downtime', 'The gate was down for 1 h and had 1 run under way.', true),
      exception(
        'observe/crm___list_rows',
        'observe',
        'crm___list_rows was only observed for 40 h: 1 action passed unheld.',
      ),
      exception(
        'break-glass/glass_1',
        'break-glass',
        'Break-glass was open for 15 min: 1 action passed without approval.',
      ),
      exception(
        'failed-check/82:quorum_was_met',
        'failed-check',
        'Row 7: one person approved where two were wanted.',
      ),
    ],
    exceptionsLeftOut: [],
    otherAnswers: [],
    policies: [
      {
        ...accepted,
        version: 2,
        digest: asDigest(`sha256:${'22'.repeat(32)}`),
        set: asDigest(`sha256:${'a2'.repeat(32)}`),
        digestHolds: 'yes',
        atStart: true,
        atEnd: false,
        texts: [{ file: 'agents.cedar', text: '@id("all") permit (principal, action, resource);\n' }],
      },
      {
        ...accepted,
        version: 3,
        digest: asDigest(`sha256:${'33'.repeat(32)}`),
        set: asDigest(`sha256:${'a3'.repeat(32)}`),
        digestHolds: 'yes',
        atStart: false,
        atEnd: true,
        texts: [
          {
            file: 'agents.cedar',
            text: '@id("all")\npermit (principal, action, resource);\n\n@id("export.customers")\n@title("Bulk export of customer data needs a data owner")\n@approvers("data-owners")\nforbid (principal, action == Action::"crm___export_rows", resource)\nwhen { context.input.rows > 1000 };\n',
          },
        ],
      },
    ],
    roster: {
      start: roster,
      end: roster,
      changes: [
        { ...accepted, version: 2, lines: [line('Нина Łuk (wei) joined'), line('Lee Park (lee) left')] },
      ],
      leavers: [
        {
          person: asPersonId('lee'),
          name: line('Lee Park'),
          how: 'left',
          atMs: t0 + 200 * hour,
          index: 260,
          backIndex: null,
          actedAfter: [],
          refusedAfter: 2,
          stillOwns: [],
        },
      ],
      claimed: [],
    },
    access: {
      rows: [rosa, sam, wei].map((one) => ({
        ...one,
        active: true,
        could: [
          {
            id: asPolicyId('export.customers'),
            title: line('Bulk export of customer data needs a data owner'),
            group: asGroupId('data-owners'),
          },
        ],
        operator: one === sam,
        auditor: one === sam,
        admin: one === sam,
        glass: one === sam,
        asked: 12,
        approved: one === rosa ? 8 : 0,
        denied: one === rosa ? 2 : 0,
        lastMs: one === rosa ? t0 + 300 * hour : null,
        never: one === wei,
      })),
      from: 'policies',
      thin: [],
    },
    reviewers: [
      { ...rosa, approved: 8, denied: 2, timed: 10, medianMs: 400_000, ninetiethMs: 900_000, fast: 1 },
    ],
    reconciliations: [
      {
        id: 'rec_1',
        source: line('PostgreSQL pgaudit'),
        from: line('2026-10-01'),
        to: line('2026-11-01'),
        file: line('pgaudit.csv'),
        matched: 41,
        gateOnly: 0,
        targetOnly: 2,
        by: line('Sam Lee'),
        atMs: t0 + 800 * hour,
        index: 870,
      },
    ],
    controls: [
      {
        id: 'CC6.1',
        framework: 'SOC 2 (Trust Services Criteria)',
        statement: 'Privileged operations need authorization at run time.',
        evidencedBy: ['Every action', 'The checks'],
        finding: 'no_exceptions',
        result: line('All 40 actions that ran had a permission recorded before.'),
        exceptions: [],
      },
      {
        id: 'CC8.1',
        framework: 'SOC 2 (Trust Services Criteria)',
        statement: 'Changes of policies are authorised and approved by a second person.',
        evidencedBy: ['Policies in force'],
        finding: 'exceptions',
        result: line('1 of 2 changes was accepted at the machine.'),
        exceptions: ['machine/77'],
      },
    ],
    suggested: [
      {
        framework: 'EU AI Act',
        clause: 'Article 12',
        what: 'Automatic recording of events',
        evidencedBy: ['The log'],
      },
    ],
    samples: {
      query: samples.length === 0 ? null : { kind: 'rows', rows: samples },
      how: [line('The auditor named these rows.')],
      chosen: rows.filter((row) => samples.includes(row.row)).map(sampleOf),
    },
    notCovered: [
      line(
        'Cooperative actions ran in the agents’ own processes: whether one ran before its permission cannot be seen.',
      ),
      line(
        'Target records were compared for PostgreSQL only; whether anything went around the gate elsewhere rests on the set-up of networks and credentials.',
      ),
    ],
    agents: [asAgentId('crm-bot'), asAgentId('ops-bot')],
  };
}
