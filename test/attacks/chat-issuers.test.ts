/**
 * One issuer for the accounts of everybody: whoever runs a workspace of Slack gives its accounts any address, and Slack says of each
 * that it is verified. So no address from there makes anybody a person of the gate; and what the same token says of an account of a
 * chat is believed of the workspace that it names alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config.ts';
import { problemText } from '../../src/config/document.ts';
import { chatAccountOf } from '../../src/identity/chat-accounts.ts';

const withIssuer = (issuer: string, more = ''): string => {
  const text = `providers:\n  - { id: chat, name: Chat, issuer: '${issuer}', clientId: gate, clientSecret: s${more} }\n`;
  const found = parseSettings(text, '/nowhere/c.yaml', { env: {}, label: 'c.yaml' });
  return found.ok ? '' : found.error.map(problemText).join('\n');
};
const byEmail = ', linkByEmail: dangerous-match-by-email';

test('an address that Slack vouches for makes nobody a person: such a configuration is refused', () => {
  for (const issuer of [
    'https://slack.com',
    'https://slack.com/',
    'https://SLACK.com',
    'https://slack-gov.com',
  ]) {
    assert.equal(withIssuer(issuer), '', issuer);
    assert.match(withIssuer(issuer, byEmail), /c\.yaml:2:\d+.*linkByEmail cannot be used with Slack/, issuer);
  }
  for (const issuer of ['https://login.acme.test', 'https://slack.com.acme.test'])
    assert.equal(withIssuer(issuer, byEmail), '', issuer);
});

test('the account of a chat in a token of Slack is of the workspace that the token names', () => {
  const claims = { 'https://slack.com/team_id': 'T0EVIL', 'https://slack.com/user_id': 'U0VICTIM' };
  assert.deepEqual(chatAccountOf('https://slack.com', claims), {
    kind: 'slack',
    issuer: 'T0EVIL',
    subject: 'U0VICTIM',
  });
  for (const issuer of ['https://slack.com/', 'https://slack.com.acme.test', 'https://login.acme.test'])
    assert.equal(chatAccountOf(issuer, claims), null, issuer);
  const forged = {
    ...claims,
    tid: '11111111-1111-4111-8111-111111111111',
    oid: '11111111-1111-4111-8111-111111111112',
  };
  const other = 'https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/v2.0';
  assert.equal(chatAccountOf(other, forged), null, 'a directory speaks for itself alone');
  for (const many of ['common', 'organizations', 'consumers', '{tenantid}'])
    assert.equal(chatAccountOf(`https://login.microsoftonline.com/${many}/v2.0`, forged), null, many);
});
