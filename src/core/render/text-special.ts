/** The special cases and the looks of a presentation, for terminals. */
import type { ConfigChangeView } from './config-change.ts';
import type { LookBody } from './look.ts';
import type { Presentation } from './present.ts';
import type { Sheet } from './text.ts';
import { ago, counted, listed } from './shown.ts';

export function specialRows(page: Sheet, shown: Presentation): void {
  const { special } = shown;
  switch (special?.kind) {
    case 'export':
      page.heading('What would leave');
      page.pair('measured', special.measured ?? 'not measured');
      if (special.classes !== null) page.pair('data', special.classes);
      if (special.columns.length > 0) {
        page.pair(
          'columns',
          listed(
            special.columns.map((one) =>
              one.dataClass === null || one.dataClass === 'none'
                ? one.name
                : `${one.name} (${one.dataClass})`,
            ),
          ),
        );
      }
      for (const one of special.fields) page.pair(one.label, one.value);
      break;
    case 'privilege':
      page.heading('Who gains what');
      for (const one of special.fields) page.pair(one.label, one.value);
      page.pair(
        'holds today',
        special.holds === null ? 'not read' : special.holds.length === 0 ? 'nothing' : listed(special.holds),
      );
      if (special.hasAlready === true) page.say('The same role is held already.', 2, 'yellow');
      if (special.selfGain !== null) page.say(special.selfGain, 2, 'red');
      break;
    case 'infrastructure':
      page.heading('What would change');
      page.say(special.summary);
      for (const one of special.things) {
        page.item(
          `${one.fate} ${one.kind} ${one.name}${one.detail === null ? '' : ` (${one.detail})`}${one.stateful ? ', keeps data' : ''}`,
          one.fate === 'destroy' || one.fate === 'replace' ? 'red' : undefined,
        );
      }
      if (special.more > 0) page.say(`and ${special.more} more`);
      break;
    case 'config':
      configRows(page, special);
      break;
    case undefined:
      break;
  }
  for (const look of shown.looks) {
    page.heading(
      `${look.which === 'before' ? 'Before' : 'Preview'}: ${look.tool}, read ${ago(look.atMs, shown.nowMs)} (informative, not bound)`,
    );
    // A special section has told already what a preview says.
    for (const body of look.bodies)
      if (special === null || body.as === 'diff' || body.as === 'failed') bodyRows(page, body);
  }
}

/** Every difference in words, then each literally. */
function configRows(page: Sheet, { origin, changes }: ConfigChangeView): void {
  page.heading('What would change');
  for (const one of origin) page.say(one, 2, 'yellow');
  for (const one of changes) page.item(`${one.says}${one.inForce ? ' (in force already)' : ''}`);
  for (const one of changes) {
    page.heading(`${one.name}: ${one.says}`);
    bodyRows(page, { as: 'diff', rows: one.rows });
  }
}

function bodyRows(page: Sheet, body: LookBody): void {
  switch (body.as) {
    case 'failed':
      page.say(`failed: ${body.detail}`, 2, 'yellow');
      return;
    case 'json':
      page.code(body.lines);
      if (!body.whole) page.say('… the rest is not shown');
      return;
    case 'table':
      page.say(body.title);
      for (const row of body.rows)
        page.item(row.map((value, index) => `${body.columns[index] ?? ''} ${value}`).join(', '));
      if (body.more > 0) page.say(`… and ${counted(body.more, 'more row', 'more rows')}`);
      return;
    case 'diff':
      if (body.rows.length === 0) page.say('no line would change');
      for (const row of body.rows) {
        if (row.kind === 'skipped') page.say(`  … ${row.text} unchanged lines`, 2, 'dim');
        else
          page.say(
            `${row.kind === 'gone' ? '-' : row.kind === 'new' ? '+' : ' '} ${row.text}`,
            2,
            row.kind === 'gone' ? 'red' : row.kind === 'new' ? 'green' : undefined,
          );
      }
      return;
  }
}
