/** The log's sentences about taking hold of the gate: stops, standing in, break-glass, and the gate's own coming and going. */
import type { JsonValue } from '../json.ts';
import {
  bad,
  because,
  peopleWords,
  personWords,
  plain,
  text,
  type EntryOf,
  type Lines,
} from './log-words-line.ts';
import { pickText } from './read.ts';
import { line, say, short, type Shown } from './shown.ts';

type GateEntry = EntryOf<
  'agent' | 'operation' | 'stop' | 'delegation' | 'glass' | 'notice' | 'click' | 'gate' | 'store'
>;

export const gateLines: Lines<GateEntry> = {
  'agent.stopped': bad(
    ({ data, by }) => say`${by} stopped the agent ${text(data, 'agent')}${because(data, 'reason')}`,
  ),
  'operation.paused': bad(
    ({ data }) =>
      say`${text(data, 'operation')} is paused for ${text(data, 'agent')}${because(data, 'reason')}`,
  ),
  'stop.lifted': plain(
    ({ data, by }) =>
      say`${by} let ${text(data, 'agent')} go on${pickText(data, ['operation']) === undefined ? '' : ` with ${text(data, 'operation')}`}${because(data, 'reason')}`,
  ),
  'delegation.made': plain(
    ({ data, by, directory }) =>
      say`${by} is away from ${text(data, 'begins')} until ${text(data, 'until')}; ${personWords(data['to'], directory)} stands in.`,
  ),
  'delegation.ended': plain(
    ({ data, by, directory }) =>
      say`${by} ended that ${personWords(data['to'], directory)} stands in for ${personWords(data['from'], directory)}.`,
  ),
  'glass.opened': bad(
    ({ data, directory }) =>
      say`BREAK-GLASS: until ${text(data, 'until')}, ${text(data, 'operation')} of ${text(data, 'agent')} passes without asking people; ${personWords(data['asker'], directory)} asked for it, approved by ${peopleWords(data['approvers'], directory)}${because(data, 'reason')}`,
  ),
  'glass.closed': bad(
    ({ data, by }) =>
      say`The break-glass of ${text(data, 'operation')} for ${text(data, 'agent')} is over: ${glassEndWords(data, by)}; somebody else must review it.`,
  ),
  'glass.reviewed': plain(
    ({ data, by }) =>
      say`${by} reviewed the break-glass of ${text(data, 'operation')} for ${text(data, 'agent')}${glassStandingWords(data)}${because(data, 'finding')}`,
  ),
  'glass.refused': bad(
    ({ data, by }) => say`${by} was refused to ${text(data, 'what')} break-glass (${text(data, 'code')}).`,
  ),
  'notice.posted': plain(
    ({ data, action }) =>
      say`${action.owned} was shown in ${text(data, 'channel')} at ${text(data, 'to')}${pickText(data, ['group']) === undefined ? '' : ` for ${text(data, 'group')}`}.`,
  ),
  'notice.failed': bad(
    ({ data, action }) =>
      say`The channel ${text(data, 'channel')} could not be told of ${action.owned}${pickText(data, ['next']) === undefined ? '' : `, so ${text(data, 'next')} was`}${because(data, 'detail')}`,
  ),
  'click.refused': bad(
    ({ data }) =>
      say`A press of “${text(data, 'verb')}” in ${text(data, 'channel')} was refused (${text(data, 'code')})${because(data, 'detail')}`,
  ),
  'gate.started': plain(({ data }) => say`The gate${gateName(data)} started.`),
  'gate.stopped': plain(({ data }) => say`The gate${gateName(data)} stopped.`),
  'store.restored': plain(() => line('The store was restored from a backup.')),
};

/** Which of several; entries of earlier programs do not say. */
const gateName = (data: JsonValue): string => {
  const gate = pickText(data, ['gate']);
  return gate === undefined ? '' : ` ${short(gate, 40)}`;
};

function glassEndWords(data: JsonValue, by: Shown): string {
  const why = pickText(data, ['why']);
  if (why === 'time') return 'its time is over';
  if (why === 'stopped') return `${by} stopped the agent`;
  if (why === 'restored') return 'the store was restored from a backup';
  return `ended by ${by}${because(data, 'reason')}`;
}

const glassStandingWords = (data: JsonValue): string =>
  pickText(data, ['standing']) === 'independent'
    ? ''
    : ', which they had a part in themself because nobody else is left';
