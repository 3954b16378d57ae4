/** What channels are called where people read of them, at the beginning of a sentence or alone. */
import { line, type Shown } from './shown.ts';

const names: ReadonlyMap<string, string> = new Map([
  ['slack', 'Slack'],
  ['teams', 'Teams'],
  ['email', 'E-mail'],
  ['webhook', 'The webhook'],
  ['terminal', 'The terminal'],
  ['callback', 'The agent’s callback'],
  ['web', 'The web inbox'],
]);

export const channelName = (channel: string): Shown => line(names.get(channel) ?? channel);
