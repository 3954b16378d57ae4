/** The log's sentences about cases: asked, approved, run. */
import type { Directory } from '../directory.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../json.ts';
import {
  bad,
  because,
  good,
  over,
  peopleWords,
  personWords,
  plain,
  text,
  unknown,
  waiting,
  type EntryOf,
  type Lines,
} from './log-words-line.ts';
import { pickText } from './read.ts';
import { line, listed, say, short } from './shown.ts';

type CaseEntry = EntryOf<
  'action' | 'approval' | 'review' | 'grant' | 'execution' | 'outcome' | 'preview' | 'question'
>;

export const caseLines: Lines<CaseEntry> = {
  'action.asked': plain(
    ({ data, by }) =>
      say`${by} asked for ${text(data, 'operation')}: ${observedWord(data)}${verdictWords(data)}.`,
  ),
  'action.refused': bad(({ data, by }) => say`An attempt of ${by} was refused${because(data, 'code')}.`),
  'approval.opened': waiting(({ data }) => say`An approval was opened: ${requirementWords(data)}.`),
  'approval.approved': good(
    ({ data, directory }) => say`Approved by ${peopleWords(data['people'], directory)}; it may run once.`,
  ),
  'approval.denied': bad(({ data, by }) => say`Denied by ${by}${because(data, 'reason')}`),
  'approval.expired': over(({ data }) => say`The approval expired${because(data, 'reason')}`),
  'approval.cancelled': over(({ data, by }) => say`${by} withdrew it${because(data, 'reason')}`),
  'review.recorded': plain(
    ({ data, by, directory }) =>
      say`${by} ${decisionWords(data)}${forWords(data, directory)}${because(data, 'reason')}`,
  ),
  'review.refused': bad(
    ({ data, by }) =>
      say`A review by ${by} was refused (${text(data, 'code')})${because(isJsonObject(data) ? (data['evidence'] ?? null) : null, 'why')}.`,
  ),
  'grant.expired': over(() => line('An allowed action was not run in time; its grant expired.')),
  'execution.started': plain(({ data }) => say`It started to run (${text(data, 'enforcement')}).`),
  'execution.refused': bad(({ data }) => say`It could not run (${text(data, 'code')}).`),
  'execution.succeeded': good(
    ({ data, by }) => say`It ran and succeeded, says ${by}${because(data, 'detail')}`,
  ),
  'execution.failed': bad(({ data, by }) => say`It ran and failed, says ${by}${because(data, 'detail')}`),
  'execution.unknown': unknown(({ data }) => say`Nobody knows how it ended${because(data, 'detail')}`),
  'execution.settled': plain(
    ({ data, by }) => say`${by} settled its outcome as ${text(data, 'status')}${because(data, 'reason')}`,
  ),
  'outcome.delivered': plain(({ data }) => say`The agent was told: ${text(data, 'state')}.`),
  'preview.read': plain(
    ({ data }) =>
      say`The gate read ${text(data, 'tool')} for the reviewers${data['ok'] === false ? ', which failed' : ''}.`,
  ),
  'question.refused': bad(
    ({ data }) => say`A question of the running tool was refused${because(data, 'operation')}.`,
  ),
  'question.passed': plain(
    ({ data }) => say`A question of the running tool was passed to the agent${because(data, 'operation')}.`,
  ),
};

/** What was only observed, or passed under break-glass, says so before its verdict. */
function observedWord(data: JsonValue): string {
  if (pickText(data, ['glass']) !== undefined) return 'it passed under BREAK-GLASS; else it would be ';
  return pickText(data, ['mode']) === 'observe' ? 'observed, so it passed; enforced it would be ' : '';
}

function verdictWords(data: JsonValue): string {
  const verdict = isJsonObject(data) ? data['verdict'] : undefined;
  const effect = pickText(verdict, ['effect']);
  if (effect === 'allow') return 'allowed';
  if (effect === 'review') return 'held for people';
  return `denied (${short(pickText(verdict, ['code']) ?? 'no code', 40)})`;
}

function requirementWords(data: JsonValue): string {
  const list = isJsonObject(data) ? data['requirements'] : undefined;
  const words = (isJsonArray(list) ? list : []).map(
    (one) => `${pickText(one, ['quorum']) ?? '?'} of ${short(pickText(one, ['approvers']) ?? '?', 60)}`,
  );
  return words.length === 0 ? 'nobody is named' : `it needs ${listed(words)}`;
}

/** Whose place a review fills, where its person stood in for somebody. */
const forWords = (data: JsonValue, directory: Directory): string => {
  const absent = isJsonObject(data) ? data['standingInFor'] : undefined;
  return absent === undefined ? '' : ` for ${personWords(absent, directory)}`;
};

function decisionWords(data: JsonValue): string {
  const decision = pickText(data, ['decision']) === 'approve' ? 'approved it' : 'denied it';
  const unsafe = isJsonObject(data) && data['unsafe'] === true ? ' as unsafe' : '';
  return `${decision}${unsafe} (${short(pickText(data, ['channel']) ?? '?', 20)})`;
}
