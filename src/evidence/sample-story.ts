/** A row of the population in plain sentences. */
import type { PopulationRow } from '../core/evidence/model-rows.ts';
import { grouped, line, listed, type Shown } from '../core/render/shown.ts';
import { askerWords, moment, reviewersWords, took, type Names } from './words.ts';

/** The row in plain sentences: who asked for whom, who decided when and why, whether that was before it ran, how it ended. */
export function story(row: PopulationRow, names: Names): Shown {
  const asked = `${sentence(askerWords(row, names))}${row.owners.length === 0 ? '' : `, owned by ${listed(row.owners.map(names))},`} asked for this on ${moment(row.askedAtMs)}${row.onBehalfOf === null || row.askedBy === 'person' ? '' : `, in a session that ${names(row.onBehalfOf)} had started`}.`;
  return line([asked, decision(row, names), ending(row)].filter((one) => one !== '').join(' '));
}

const sentence = (text: string): string => (text === 'the gate itself' ? 'The gate itself' : text);

function decision(row: PopulationRow, names: Names): string {
  const after = row.decisionMs === null ? '' : `, ${took(row.decisionMs)} after it was asked`;
  const said = row.reviews.flatMap((one) =>
    one.reason === null ? [] : [` ${one.name} said: “${one.reason}”.`],
  );
  const words =
    said.length > 0 ? said.join('') : row.reason === null ? '' : ` The reason given: “${row.reason}”.`;
  const standing = row.reviews
    .filter((one) => one.standingInFor !== null)
    .map((one) => ` ${one.name} stood in for ${one.standingInFor === null ? '' : names(one.standingInFor)}.`)
    .join('');
  switch (row.outcome) {
    case 'allowed':
      return 'The policies in force allowed it, so nobody was asked.';
    case 'approved':
      return `${reviewersWords(row, 'approve')} approved exactly this action${after}.${words}${standing}`;
    case 'denied_by_policy':
      return row.approval === null
        ? `The policies, or the rules of the gate, refused it and nobody was asked${row.code === null ? '' : ` (${row.code})`}.${words}`
        : `It was held for people, and then refused by the policies or the rules of the gate${row.code === null ? '' : ` (${row.code})`}.${words}`;
    case 'denied_by_person':
      return `${reviewersWords(row, 'deny')} denied it${after}.${words}${standing}`;
    case 'expired':
      return `Nobody decided in time, or it was not run in time.${words}`;
    case 'cancelled':
      return `It was withdrawn.${words}`;
    case 'broken_glass':
      return `Break-glass was open, so it passed without the approval that it would have needed (${row.glass ?? 'not named'}: who opened it and who reviewed it is in the report’s exceptions).`;
    case 'observed':
      return 'The gate was set to observe only there, so it passed whatever the policies said.';
    case 'open':
      return 'It was still waiting for people when the period ended.';
    case 'unknown':
      return row.erased
        ? `Its content was erased; what remains proves that it was recorded${row.decidedBy === null ? '' : `: ${row.decidedBy}`}.`
        : 'What became of it cannot be told.';
  }
}

function ending(row: PopulationRow): string {
  if (row.startedAtMs === null) return row.run === 'not_run' ? 'It did not run.' : '';
  const before =
    row.decidedIndex !== null && row.startedIndex !== null && row.decidedIndex < row.startedIndex;
  const lag = row.lagMs === null ? '' : row.lagMs < 1000 ? ' at once' : ` ${took(row.lagMs)}`;
  const started = before
    ? `It was started${lag} after the decision (entry ${grouped(row.decidedIndex ?? 0)} before entry ${grouped(row.startedIndex ?? 0)})`
    : `It was started with entry ${grouped(row.startedIndex ?? 0)}`;
  const who =
    row.enforcement === 'cooperative'
      ? ` by the agent itself${row.run === 'succeeded' || row.run === 'failed' ? ', which reported the end' : ''}`
      : row.enforcement === 'mediated'
        ? ' by the gate'
        : '';
  switch (row.run) {
    case 'succeeded':
      return `${started}${who}, and it succeeded.`;
    case 'failed':
      return `${started}${who}, and it failed.`;
    case 'running':
      return `${started}${who}; no end was recorded in the period.`;
    case 'unknown':
      return `${started}${who}; how it ended is not known.`;
    case 'not_run':
      return '';
  }
}
