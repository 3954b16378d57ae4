/** The log's sentences about itself: its keys and checkpoints, what was erased or kept from it, what was made of it. */
import { isJsonArray } from '../json.ts';
import { bad, because, plain, text, type EntryOf, type Lines } from './log-words-line.ts';
import { pickText } from './read.ts';
import { counted, say, type Shown } from './shown.ts';

type LogEntry = EntryOf<'log' | 'key' | 'payloads' | 'hold' | 'evidence' | 'reconciliation'>;

/** A number of the data; 0 where there is none. */
const amount = (data: Parameters<typeof text>[0], name: string): number => {
  const value = typeof data === 'object' && data !== null && !isJsonArray(data) ? data[name] : undefined;
  return typeof value === 'number' ? value : 0;
};

/** What a hold keeps. */
function covered(data: Parameters<typeof text>[0]): Shown {
  if (pickText(data, ['action']) !== undefined) return say`the action ${text(data, 'action')}`;
  if (pickText(data, ['person']) !== undefined) return say`whatever names ${text(data, 'person')}`;
  return say`everything`;
}

/** What somebody at the machine called themselves. */
const statedName = (data: Parameters<typeof text>[0]): string =>
  pickText(data, ['stated']) === undefined ? '' : `, by the name of ${text(data, 'stated')},`;

export const logLines: Lines<LogEntry> = {
  'log.opened': plain(
    ({ data }) => say`The log is published as ${text(data, 'origin')} from here on${because(data, 'reason')}`,
  ),
  'log.heartbeat': plain(
    ({ data }) => say`The gate was running, and nothing happened since ${text(data, 'since')}.`,
  ),
  'log.late': bad(
    ({ data }) =>
      say`${text(data, 'what')} (${text(data, 'name')}) is late since ${text(data, 'since')}${because(data, 'detail')}`,
  ),
  'log.caught_up': plain(({ data }) => say`${text(data, 'what')} (${text(data, 'name')}) is in time again.`),
  'log.exported': plain(
    ({ data, by }) =>
      say`${by} took ${counted(amount(data, 'rows'), 'entry', 'entries')} out of the log as ${text(data, 'format')}.`,
  ),
  'key.begun': plain(({ data }) => say`The ${text(data, 'use')} key ${text(data, 'id')} signs from here on.`),
  'key.ended': plain(({ data }) => say`The ${text(data, 'use')} key ${text(data, 'id')} signs no more.`),
  'payloads.erased': bad(
    ({ data, by }) =>
      say`${by} erased ${counted(amount(data, 'count'), 'payload', 'payloads')}${pickText(data, ['basis']) === undefined ? '' : ` (${text(data, 'basis')})`}${because(data, 'reason')}`,
  ),
  'hold.placed': plain(
    ({ data, by }) =>
      say`${by} placed the legal hold ${text(data, 'id')} on ${covered(data)}${because(data, 'reason')}`,
  ),
  'hold.released': plain(
    ({ data, by }) =>
      say`${by} released the legal hold ${text(data, 'id')} on ${covered(data)}${because(data, 'reason')}`,
  ),
  'evidence.made': plain(
    ({ data, by }) =>
      say`${by}${statedName(data)} made the evidence of ${text(data, 'from')} to ${text(data, 'to')}: ${counted(amount(data, 'rows'), 'privileged action', 'privileged actions')}.`,
  ),
  'evidence.answered': plain(
    ({ data, by }) => say`${by} answered the exception ${text(data, 'exception')}${because(data, 'text')}`,
  ),
  'reconciliation.recorded': plain(
    ({ data, by }) =>
      say`${by} compared the log with what ${text(data, 'source')} recorded: ${counted(amount(data, 'matched'), 'row')} matched, ${counted(amount(data, 'targetOnly'), 'row')} happened outside the gate, ${counted(amount(data, 'gateOnly'), 'execution')} left none.`,
  ),
};
