/**
 * The gate of click.ts: `serve`, but with Slack's API at an address on loopback, which no configuration may name, and with
 * accounts of Slack attached to people, as they do once.
 *
 *     chat-gate.ts CONFIG SLACK-API-URL TEAM PERSON=USER …
 */
import { beginChatLink, finishChatLink } from '../src/app/accounts.ts';
import { readSettings } from '../src/config.ts';
import { chatCodeHash } from '../src/core/chat-code.ts';
import { asPersonId } from '../src/core/ids.ts';
import { startGate } from '../src/main.ts';

const [file = '', apiUrl = '', team = '', ...accounts] = process.argv.slice(2);
const read = await readSettings(file);
if (!read.ok) throw new Error(read.error.map((one) => one.message).join(' '));
const { channels } = read.value;
if (channels.slack === null) throw new Error('The configuration has no Slack.');
const gate = await startGate({
  ...read.value,
  channels: { ...channels, slack: { ...channels.slack, apiUrl } },
});
const { parts } = gate;
for (const [person = '', user = ''] of accounts.map((one) => one.split('='))) {
  const id = asPersonId(person);
  const code = await beginChatLink(parts, id);
  if (!code.ok) throw new Error(code.error.detail);
  const account = { kind: 'slack', issuer: team, subject: user, display: user } as const;
  await parts.store.change({ kind: 'sendCode', code: chatCodeHash(code.value), account });
  const way = { via: { kind: 'link' }, countsFromMs: 0, authAtMs: parts.clock.nowMs() } as const;
  const linked = await finishChatLink(parts, { person: id, way });
  if (!linked.ok) throw new Error(linked.error.detail);
}
process.once('SIGTERM', () => void gate.close().then(() => process.exit(0)));
console.log(`listening on ${gate.url}`);
