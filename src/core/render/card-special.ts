/** The cases that matter most (design §7), and what the gate read upstream, as parts of a card. */
import type { Part } from './card.ts';
import { codeLine, settled, settledLines } from './card-text.ts';
import type { ChangeView, ConfigChangeView } from './config-change.ts';
import type { ExportView } from './export.ts';
import type { InfrastructureView, Thing } from './infrastructure.ts';
import type { LookBody, LookView } from './look.ts';
import type { Presentation, Special } from './present.ts';
import type { PrivilegeView } from './privilege.ts';
import { clock, counted, line, lines, listed, say, type Shown } from './shown.ts';

type Item = (Part & { readonly as: 'items' })['items'][number];
type Row = (Part & { readonly as: 'pairs' })['rows'][number];

const plain = (text: string): Item => ({ text: line(text), tone: 'plain' });
const bad = (text: string): Item => ({ text: line(text), tone: 'bad' });
const row = (label: string, value: string): Row => ({
  label: line(label),
  value: line(value),
  literal: false,
  claimed: false,
});

/** Its title and its parts: what must not be missed first, because a place that is too small leaves out from the end. */
export function specialSection(special: Special): readonly [title: string, parts: readonly Part[]] {
  switch (special.kind) {
    case 'export':
      return ['What would leave', exported(special)];
    case 'privilege':
      return ['Who gains what', privilege(special)];
    case 'infrastructure':
      return ['What would change', infrastructure(special)];
    case 'config':
      return ['What would change', configChange(special)];
  }
}

function exported({ measured, classes, columns, fields }: ExportView): readonly Part[] {
  const names = columns.map(({ name, dataClass }) =>
    dataClass === null || dataClass === 'none' ? name : `${name} (${dataClass})`,
  );
  return [
    {
      as: 'pairs',
      rows: [
        row('measured', measured ?? 'not measured'),
        ...(classes === null ? [] : [row('data', classes)]),
        ...(names.length === 0 ? [] : [row('columns', listed(names))]),
        ...fields,
      ],
    },
  ];
}

function privilege({ selfGain, fields, holds, hasAlready }: PrivilegeView): readonly Part[] {
  const today = holds === null ? 'not read' : holds.length === 0 ? 'nothing that was found' : listed(holds);
  return [
    { as: 'items', items: selfGain === null ? [] : [bad(selfGain)] },
    { as: 'pairs', rows: [...fields, row('holds today', today)] },
    {
      as: 'items',
      items: hasAlready === true ? [plain('The same role in the same scope is held already.')] : [],
    },
  ];
}

const infrastructure = ({ summary, things, more }: InfrastructureView): readonly Part[] => [
  {
    as: 'items',
    items: [
      plain(summary),
      ...things.map(thing),
      ...(more === 0 ? [] : [plain(`and ${counted(more, 'more', 'more')}`)]),
    ],
  },
];

const thing = ({ fate, kind, name, detail, stateful }: Thing): Item => ({
  text: say`${fate} ${kind} ${name}${detail === null ? '' : ` (${detail})`}${stateful ? ', keeps data' : ''}`,
  tone: fate === 'destroy' || fate === 'replace' ? 'bad' : 'plain',
});

/** Every difference in words, then each literally. */
const configChange = ({ origin, changes }: ConfigChangeView): readonly Part[] => [
  { as: 'items', items: origin.map(plain) },
  {
    as: 'items',
    items: changes.map(({ says, inForce }) => ({
      text: inForce ? say`${says} (in force already)` : says,
      tone: inForce ? 'over' : 'waiting',
    })),
  },
  ...changes.flatMap((one): readonly Part[] => [
    { as: 'items', items: [plain(one.name)] },
    { as: 'code', lines: diffRows(one.rows) },
  ]),
];

/** What was read before and for a preview; what a special section was made from stands there already. */
export const looksParts = ({ looks, special }: Presentation): readonly Part[] =>
  looks.flatMap((look) => {
    const told = isToldBy(special, look.which, looks);
    const bodies = look.bodies.filter((body) => !told || body.as === 'diff' || body.as === 'failed');
    const title = bodies.length < look.bodies.length ? say`${titleOf(look)}; see above` : titleOf(look);
    return [{ as: 'items' as const, items: [plain(title)] }, ...bodies.flatMap(bodyParts)];
  });

/** Whether a special section was made from this look. */
function isToldBy(special: Special | null, which: LookView['which'], looks: readonly LookView[]): boolean {
  switch (special?.kind) {
    case 'export':
    case 'infrastructure':
      return which === 'preview';
    case 'privilege':
      // As core/render/privilege.ts reads them: what is there today out of the one before, else out of the preview.
      return special.holds !== null && (which === 'before' || !looks.some((one) => one.which === 'before'));
    case 'config':
    case undefined:
      return false;
  }
}

const titleOf = ({ which, tool, atMs }: LookView): Shown =>
  say`${which === 'before' ? 'Before' : 'Preview'}: ${tool}, read ${clock(atMs)}`;

function bodyParts(body: LookBody): readonly Part[] {
  switch (body.as) {
    case 'failed':
      return [{ as: 'items', items: [bad(`failed: ${body.detail}`)] }];
    case 'json':
      return [
        { as: 'code', lines: settledLines(body.lines.map(codeLine)) },
        { as: 'items', items: body.whole ? [] : [plain('… the rest is not shown')] },
      ];
    case 'table':
      return [
        { as: 'items', items: [plain(body.title)] },
        { as: 'table', columns: body.columns, rows: body.rows, more: body.more },
      ];
    case 'diff':
      return body.rows.length === 0
        ? [{ as: 'items', items: [plain('No line would change.')] }]
        : [{ as: 'code', lines: diffRows(body.rows) }];
  }
}

const signs = { same: ' ', gone: '-', new: '+' } as const;

const diffRows = (rows: ChangeView['rows']): readonly Shown[] =>
  rows.flatMap((one) =>
    one.kind === 'skipped'
      ? [say`… ${one.text} unchanged lines`]
      : lines(`${signs[one.kind]} ${settled(one.text)}`),
  );
