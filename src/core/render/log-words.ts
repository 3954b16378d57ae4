/** Entries of the log in plain words, one sentence for each type. The entry itself stays the truth; this is for reading. */
import type { Entry, EntryType } from '../entry.ts';
import type { Directory } from '../directory.ts';
import { nameOf } from '../conflict.ts';
import { asPersonId } from '../ids.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../json.ts';
import { maskSecrets } from '../secrets.ts';
import { writeJson, type Written } from './json-lines.ts';
import { brief, pickText } from './read.ts';
import { counted, line, listed, say, short, shortDigest, type Shown } from './shown.ts';
import { byWords, type Tone } from './standing.ts';

export interface EntryWords {
  /** "Rosa Diaz approved it in the web inbox." */
  readonly text: Shown;
  /** Who did it. */
  readonly by: Shown;
  readonly tone: Tone | 'plain';
}

/** One sentence about an entry; its data is read with care, because an older version may have written it. */
export function entryWords(entry: Entry, directory: Directory): EntryWords {
  return { text: sentence(entry, directory), by: byWords(entry.by, directory), tone: toneOf(entry.type) };
}

/** The entry's data for a closer look: whole or cut, secrets masked. */
export const entryData = (entry: Entry): Written =>
  writeJson(maskSecrets(entry.data), { charsMax: 16_384, linesMax: 300 });

const text = (data: JsonValue, name: string): Shown => short(pickText(data, [name]) ?? '?', 300);

/** `: reason` where there is one. */
const because = (data: JsonValue, name: string): string => {
  const said = pickText(data, [name]);
  return said === undefined || said.trim() === '' ? '' : `: ${brief(said, 300)}`;
};

function sentence(entry: Entry, directory: Directory): Shown {
  const { data, type } = entry;
  const by = byWords(entry.by, directory);
  switch (type) {
    case 'action.asked':
      return say`${by} asked for ${text(data, 'operation')}: ${observedWord(data)}${verdictWords(data)}.`;
    case 'action.refused':
      return say`An attempt of ${by} was refused${because(data, 'code')}.`;
    case 'approval.opened':
      return say`An approval was opened: ${requirementWords(data)}.`;
    case 'approval.approved':
      return say`Approved by ${peopleWords(data['people'], directory)}; it may run once.`;
    case 'approval.denied':
      return say`Denied by ${by}${because(data, 'reason')}`;
    case 'approval.expired':
      return say`The approval expired${because(data, 'reason')}`;
    case 'approval.cancelled':
      return say`${by} withdrew it${because(data, 'reason')}`;
    case 'review.recorded':
      return say`${by} ${decisionWords(data)}${because(data, 'reason')}`;
    case 'review.refused':
      return say`A review by ${by} was refused (${text(data, 'code')}).`;
    case 'grant.expired':
      return line('An allowed action was not run in time; its grant expired.');
    case 'execution.started':
      return say`It started to run (${text(data, 'enforcement')}).`;
    case 'execution.refused':
      return say`It could not run (${text(data, 'code')}).`;
    case 'execution.succeeded':
      return say`It ran and succeeded, says ${by}${because(data, 'detail')}`;
    case 'execution.failed':
      return say`It ran and failed, says ${by}${because(data, 'detail')}`;
    case 'execution.unknown':
      return say`Nobody knows how it ended${because(data, 'detail')}`;
    case 'execution.settled':
      return say`${by} settled its outcome as ${text(data, 'status')}${because(data, 'reason')}`;
    case 'outcome.delivered':
      return say`The agent was told: ${text(data, 'state')}.`;
    case 'preview.read':
      return say`The gate read ${text(data, 'tool')} for the reviewers${data['ok'] === false ? ', which failed' : ''}.`;
    case 'question.refused':
      return say`A question of the running tool was refused${because(data, 'operation')}.`;
    case 'question.passed':
      return say`A question of the running tool was passed to the agent${because(data, 'operation')}.`;
    case 'policies.accepted':
    case 'policies.refused':
    case 'directory.accepted':
    case 'tool.pinned':
    case 'tool.waiting':
    case 'tool.disabled':
    case 'tool.accepted':
    case 'token.issued':
    case 'sign_in.issued':
    case 'person.signed_in':
    case 'person.signed_out':
    case 'agent.stopped':
    case 'operation.paused':
    case 'stop.lifted':
    case 'observe.changed':
    case 'notice.failed':
    case 'gate.started':
    case 'gate.stopped':
    case 'store.restored':
      return operating(type, entry, directory);
  }
}

type Operating = Extract<
  EntryType,
  | `policies.${string}`
  | `directory.${string}`
  | `tool.${string}`
  | `token.${string}`
  | `sign_in.${string}`
  | `person.${string}`
  | `agent.${string}`
  | `operation.${string}`
  | `stop.${string}`
  | `observe.${string}`
  | `notice.${string}`
  | `gate.${string}`
  | `store.${string}`
>;

/** Entries about the gate itself. */
function operating(type: Operating, { data, by }: Entry, directory: Directory): Shown {
  switch (type) {
    case 'policies.accepted':
      return say`Policy set ${text(data, 'version')} is in force (${shortDigest(text(data, 'digest'))}).`;
    case 'policies.refused':
      return say`The proposed policies are not usable, so everything is denied${because(data, 'reason')}`;
    case 'directory.accepted':
      return say`People, groups and agents, version ${text(data, 'version')}, are in force.`;
    case 'tool.pinned':
      return say`The tool ${text(data, 'operation')} was seen for the first time and pinned.`;
    case 'tool.waiting':
      return say`The tool ${text(data, 'operation')} is new and waits for an operator.`;
    case 'tool.disabled':
      return say`The tool ${text(data, 'operation')} differs from what was accepted, so it is disabled.`;
    case 'tool.accepted':
      return say`${byWords(by, directory)} accepted the tool ${text(data, 'operation')}.`;
    case 'token.issued':
      return say`A token was issued for ${principalWords(data['for'])}.`;
    case 'sign_in.issued':
      return say`A sign-in link was issued for ${personWords(data['person'], directory)}.`;
    case 'person.signed_in':
      return say`${byWords(by, directory)} signed in.`;
    case 'person.signed_out':
      return say`${byWords(by, directory)} signed out.`;
    case 'agent.stopped':
      return say`${byWords(by, directory)} stopped the agent ${text(data, 'agent')}${because(data, 'reason')}`;
    case 'operation.paused':
      return say`${text(data, 'operation')} is paused for ${text(data, 'agent')}${because(data, 'reason')}`;
    case 'stop.lifted':
      return say`${byWords(by, directory)} let ${text(data, 'agent')} go on${pickText(data, ['operation']) === undefined ? '' : ` with ${text(data, 'operation')}`}${because(data, 'reason')}`;
    case 'observe.changed':
      return say`Observed now, so that nothing is held there: ${observedWords(data['observed'])}.`;
    case 'notice.failed':
      return say`The channel ${text(data, 'channel')} could not be told${because(data, 'detail')}`;
    case 'gate.started':
      return line('The gate started.');
    case 'gate.stopped':
      return line('The gate stopped.');
    case 'store.restored':
      return line('The store was restored from a backup.');
  }
}

function toneOf(type: EntryType): EntryWords['tone'] {
  switch (type) {
    case 'approval.approved':
    case 'execution.succeeded':
      return 'good';
    case 'approval.denied':
    case 'action.refused':
    case 'review.refused':
    case 'execution.refused':
    case 'execution.failed':
    case 'question.refused':
    case 'policies.refused':
    case 'tool.disabled':
    case 'agent.stopped':
    case 'operation.paused':
    case 'observe.changed':
    case 'notice.failed':
      return 'bad';
    case 'approval.opened':
    case 'tool.waiting':
      return 'waiting';
    case 'approval.expired':
    case 'approval.cancelled':
    case 'grant.expired':
      return 'over';
    case 'execution.unknown':
      return 'unknown';
    case 'action.asked':
    case 'review.recorded':
    case 'execution.started':
    case 'execution.settled':
    case 'outcome.delivered':
    case 'preview.read':
    case 'question.passed':
    case 'policies.accepted':
    case 'directory.accepted':
    case 'tool.pinned':
    case 'tool.accepted':
    case 'stop.lifted':
    case 'token.issued':
    case 'sign_in.issued':
    case 'person.signed_in':
    case 'person.signed_out':
    case 'gate.started':
    case 'gate.stopped':
    case 'store.restored':
      return 'plain';
  }
}

/** What was only observed says so before its verdict. */
const observedWord = (data: JsonValue): string =>
  pickText(data, ['mode']) === 'observe' ? 'observed, so it passed; enforced it would be ' : '';

const observedWords = (names: JsonValue | undefined): string =>
  isJsonArray(names) && names.length > 0
    ? listed(names.map((one) => short(typeof one === 'string' ? one : '?', 80)))
    : 'nothing';

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

const personWords = (id: JsonValue | undefined, directory: Directory): Shown =>
  typeof id === 'string' ? line(nameOf(directory, asPersonId(id))) : line('somebody');

const peopleWords = (ids: JsonValue | undefined, directory: Directory): string =>
  isJsonArray(ids) && ids.length > 0
    ? listed([...new Set(ids.map((id) => personWords(id, directory)))])
    : counted(0, 'person', 'people');

const principalWords = (principal: JsonValue | undefined): Shown =>
  say`${short(pickText(principal, ['kind']) ?? 'somebody', 20)} ${short(pickText(principal, ['id']) ?? '', 80)}`;

function decisionWords(data: JsonValue): string {
  const decision = pickText(data, ['decision']) === 'approve' ? 'approved it' : 'denied it';
  const unsafe = isJsonObject(data) && data['unsafe'] === true ? ' as unsafe' : '';
  return `${decision}${unsafe} (${short(pickText(data, ['channel']) ?? '?', 20)})`;
}
