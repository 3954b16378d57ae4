/** The log's sentences about what is in force: policies, people, servers, their tools, and what is only observed. */
import { isJsonArray, type JsonValue } from '../json.ts';
import { bad, because, plain, text, waiting, type EntryOf, type Lines } from './log-words-line.ts';
import { pickText } from './read.ts';
import { listed, say, short, shortDigest } from './shown.ts';

type ConfigEntry = EntryOf<'policies' | 'directory' | 'servers' | 'config' | 'tool' | 'observe'>;

export const configLines: Lines<ConfigEntry> = {
  'policies.accepted': plain(
    ({ data }) =>
      say`Policy set ${text(data, 'version')} is in force (${shortDigest(text(data, 'digest'))})${howWords(data)}.`,
  ),
  'policies.refused': bad(
    ({ data }) =>
      say`The proposed policies are not usable, so everything is denied${because(data, 'reason')}`,
  ),
  'directory.accepted': plain(
    ({ data }) =>
      say`People, groups and agents, version ${text(data, 'version')}, are in force${howWords(data)}.`,
  ),
  'servers.accepted': plain(
    ({ data }) =>
      say`Servers and operations, version ${text(data, 'version')}, are in force${howWords(data)}.`,
  ),
  'config.refused': bad(
    ({ data }) => say`A change of who may do what cannot be accepted here${because(data, 'reason')}`,
  ),
  'tool.pinned': plain(
    ({ data }) => say`The tool ${text(data, 'operation')} was seen for the first time and pinned.`,
  ),
  'tool.waiting': waiting(
    ({ data }) => say`The tool ${text(data, 'operation')} is new and waits for an operator.`,
  ),
  'tool.disabled': bad(
    ({ data }) => say`The tool ${text(data, 'operation')} differs from what was accepted, so it is disabled.`,
  ),
  'tool.accepted': plain(({ data, by }) => say`${by} accepted the tool ${text(data, 'operation')}.`),
  'observe.changed': bad(
    ({ data }) => say`Observed now, so that nothing is held there: ${observedWords(data['observed'])}.`,
  ),
};

/** How something came to be in force; what was written before there were ways to tell apart says nothing. */
function howWords(data: JsonValue): string {
  const how = pickText(data, ['how']);
  if (how === 'first') return ', as the first';
  if (how === 'found') return ', as found: the company is one person';
  if (how === 'tightened') return ': only what tightens was taken over';
  if (how === 'reviewed') return ', approved by people';
  return how === 'machine' ? ', accepted at the machine without anybody’s approval' : '';
}

const observedWords = (names: JsonValue | undefined): string =>
  isJsonArray(names) && names.length > 0
    ? listed(names.map((one) => short(typeof one === 'string' ? one : '?', 80)))
    : 'nothing';
