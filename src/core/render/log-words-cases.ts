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
import { listed, say, short } from './shown.ts';

type CaseEntry = EntryOf<
  'action' | 'approval' | 'review' | 'grant' | 'execution' | 'outcome' | 'preview' | 'question'
>;

export const caseLines: Lines<CaseEntry> = {
  'action.asked': plain(
    ({ data, by, action }) =>
      say`${by} asked for ${action.plain}: ${observedWord(data)}${verdictWords(data)}.`,
  ),
  'action.refused': bad(
    ({ data, by }) =>
      say`An attempt of ${by}${calledWords(data)} was refused (${text(data, 'code')})${because(data, 'detail')}`,
  ),
  'approval.opened': waiting(
    ({ data, action }) => say`People were asked about ${action.owned}: ${requirementWords(data)}.`,
  ),
  'approval.approved': good(
    ({ data, directory, action }) =>
      say`${action.owned} was approved by ${peopleWords(data['people'], directory)}, and may run once.`,
  ),
  'approval.denied': bad(
    ({ data, by, action }) => say`${action.owned} was denied by ${by}${because(data, 'reason')}`,
  ),
  'approval.expired': over(
    ({ data, action }) => say`The approval of ${action.owned} expired${because(data, 'reason')}`,
  ),
  'approval.cancelled': over(
    ({ data, by, action }) => say`${by} withdrew ${action.owned}${because(data, 'reason')}`,
  ),
  'review.recorded': plain(
    ({ data, by, directory, action }) =>
      say`${by} ${decisionWords(data, action.owned)}${forWords(data, directory)}${placeWords(data)}${because(data, 'reason')}`,
  ),
  'review.refused': bad(
    ({ data, by, action }) =>
      say`A review of ${action.owned} by ${by} was refused (${text(data, 'code')})${because(isJsonObject(data) ? (data['evidence'] ?? null) : null, 'why')}.`,
  ),
  'grant.expired': over(
    ({ action }) => say`${action.owned} was allowed and not run in time; its grant expired.`,
  ),
  'execution.started': plain(
    ({ data, action }) => say`${action.owned} started to run (${text(data, 'enforcement')}).`,
  ),
  'execution.refused': bad(({ data, action }) => say`${action.owned} could not run (${text(data, 'code')}).`),
  'execution.succeeded': good(
    ({ data, by, action }) =>
      say`${action.owned} ran and succeeded, says ${by}${lateWords(data)}${because(data, 'detail')}`,
  ),
  'execution.failed': bad(
    ({ data, by, action }) =>
      say`${action.owned} ran and failed, says ${by}${lateWords(data)}${because(data, 'detail')}`,
  ),
  'execution.unknown': unknown(
    ({ data, action }) => say`Nobody knows how ${action.owned} ended${because(data, 'detail')}`,
  ),
  'execution.settled': plain(
    ({ data, by, action }) =>
      say`${by} settled the outcome of ${action.owned} as ${text(data, 'status')}${because(data, 'reason')}`,
  ),
  'outcome.delivered': plain(
    ({ data, action }) => say`What became of ${action.owned} was told to its agent: ${text(data, 'state')}.`,
  ),
  'preview.read': plain(
    ({ data, action }) =>
      say`The gate read ${text(data, 'tool')} for the reviewers of ${action.owned}${data['ok'] === false ? ', which failed' : ''}.`,
  ),
  'question.refused': bad(
    ({ data, action }) =>
      say`A question that a tool asked during ${action.owned} was refused${because(data, 'operation')}.`,
  ),
  'question.passed': plain(
    ({ data, action }) =>
      say`A question that a tool asked during ${action.owned} was passed to the agent${because(data, 'operation')}.`,
  ),
};

/** What an attempt named, where it came so far. */
const calledWords = (data: JsonValue): string => {
  const operation = pickText(data, ['operation']);
  return operation === undefined ? '' : ` to call ${short(operation, 120)}`;
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
  return words.length === 0 ? 'nobody is named' : `${listed(words)} must approve`;
}

/** Whose place a review fills, where its person stood in for somebody. */
const forWords = (data: JsonValue, directory: Directory): string => {
  const absent = isJsonObject(data) ? data['standingInFor'] : undefined;
  return absent === undefined ? '' : ` for ${personWords(absent, directory)}`;
};

/** Said after it was taken for unknown: the gate that ran it had not been heard of for a while. */
const lateWords = (data: JsonValue): string =>
  isJsonObject(data) && data['late'] === true ? ', which was not heard of for a while' : '';

function decisionWords(data: JsonValue, what: string): string {
  const decision = pickText(data, ['decision']) === 'approve' ? 'approved' : 'denied';
  const unsafe = isJsonObject(data) && data['unsafe'] === true ? ' as unsafe' : '';
  return `${decision} ${what}${unsafe}`;
}

/** Where it was said; the inbox is not named. */
const placeWords = (data: JsonValue): string => {
  const channel = pickText(data, ['channel']);
  return channel === undefined || channel === 'web' ? '' : ` (${short(channel, 20)})`;
};
