/** The report's page about the checks: the same for every row, counted, and the rows that they cannot be made of. */
import { checkNames } from '../core/evidence/model-rows.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { grouped } from '../core/render/shown.ts';
import { bullets, note, table } from './blocks.ts';
import type { Text } from './flow.ts';
import type { Paper } from './paper.ts';
import { checkWords } from './words.ts';

/** The same checks of every row, counted; the rows that failed are named. */
export function checks(paper: Paper, evidence: Evidence): void {
  const { byCheck, failed, unsaid } = evidence.counts;
  paper.section(
    'The checks of every action',
    'Each row of the population went through the same eight checks, made from the entries of the log and from nothing else. “Cannot say” means that something a check needs is not known: it is not counted as passed.',
  );
  table(paper, {
    columns: [
      { title: 'Check', share: 36 },
      { title: 'Yes', share: 9, right: true },
      { title: 'No', share: 9, right: true },
      { title: 'Cannot say', share: 12, right: true },
      { title: 'Does not apply', share: 15, right: true },
      { title: 'Rows where it cannot be said', share: 19 },
    ],
    rows: checkNames.map((name): readonly Text[] => {
      const { passed, failed: no, unknown, not_applicable: none } = byCheck[name];
      return [
        checkWords[name],
        grouped(passed),
        no === 0 ? '0' : [{ text: grouped(no), face: 'strong', tone: 'bad' }],
        grouped(unknown),
        grouped(none),
        unknown === 0 ? '–' : firstWords(unsaid[name], unknown),
      ];
    }),
    empty: '',
  });
  bullets(paper, [
    '“Decided before it ran, and the gate itself ran it” cannot be said of cooperative actions: the agent ran those, and only that the permission came before the start that it reported is provable.',
    '“Does not apply”: what did not run was not started; what nobody had to approve has no approver; what was only observed needed no decision; what the gate’s own rules ask for is judged by no policy.',
    '“Approver is not the requester”: nobody who approved was an owner of the agent, had started its session, stood in the chain of delegation, or had made the rule that decided.',
  ]);
  paper.heading('Rows that failed a check');
  if (failed.length === 0) note(paper, 'No row failed a check.', 'good');
  table(paper, {
    columns: [
      { title: 'Row', share: 15, right: true },
      { title: 'Entry', share: 20, right: true },
      { title: 'Check', share: 65 },
    ],
    rows: failed.map((one) => [grouped(one.row), grouped(one.index), checkWords[one.check]]),
    empty: '',
    rest: 'Exceptions.xlsx',
  });
}

/** "7, 9, 12 and 3 more". */
const firstWords = (rows: readonly number[], all: number): string => {
  const shown = rows.slice(0, 8);
  return `${shown.map(grouped).join(', ')}${all > shown.length ? ` and ${grouped(all - shown.length)} more` : ''}`;
};
