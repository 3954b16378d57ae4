/**
 * Secrets of channels stay where they are: a mail server that repeats what it was told, in the words in which it was told it, gets no
 * password into the log, onto a page or into an answer of the API, because why a delivery failed is shown there.
 */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { createEmail } from '../../src/channels/email.ts';
import { asGroupId } from '../../src/core/ids.ts';
import { told } from '../channels/contract.ts';

const password = 'p%40ss w/rd+7f3a91'; // as it is, not as a URL writes it
const forms: readonly (readonly [what: string, text: string])[] = [
  ['as it is', password],
  ['as the URL writes it', encodeURIComponent(password)],
  ['of AUTH LOGIN', Buffer.from(password).toString('base64')],
  ['of AUTH PLAIN', Buffer.from(`\0gate\0${password}`).toString('base64')],
];

/** A server that offers these ways to sign in, and answers each line that it does not like by repeating it. */
async function repeating(
  mechanisms: string,
  when: 'at once' | 'later',
  work: (port: number, got: readonly string[]) => Promise<void>,
): Promise<void> {
  const got: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('220 mail.test\r\n');
    let left = '';
    let asked = 0;
    socket.on('data', (chunk: Buffer) => {
      left += chunk.toString();
      for (let end = left.indexOf('\r\n'); end >= 0; end = left.indexOf('\r\n')) {
        const line = left.slice(0, end);
        left = left.slice(end + 2);
        if (/^EHLO/i.test(line)) socket.write(`250-mail.test\r\n250 AUTH ${mechanisms}\r\n`);
        else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
        else if (/^AUTH LOGIN$/i.test(line)) socket.write('334 VXNlcm5hbWU6\r\n');
        else if (mechanisms === 'LOGIN' && (asked += 1) === 1) socket.write('334 UGFzc3dvcmQ6\r\n');
        else {
          got.push(line);
          // Either at once, or once somebody wants to send something.
          const said = forms.map(([, text]) => text).join(' ');
          const later = when === 'later';
          if (!later) socket.write(`535 5.7.8 what is ${line}\r\n`);
          else if (/^MAIL/i.test(line)) socket.write(`550 5.7.1 not with ${said}\r\n`);
          else socket.write('235 2.7.0 taken\r\n');
        }
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  try {
    await work(address.port, got);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
}

for (const when of ['at once', 'later'] as const)
  for (const mechanisms of ['PLAIN', 'LOGIN'])
    test(`a mail server that repeats ${when} what it was told (AUTH ${mechanisms}) gets no password into why it failed`, () =>
      repeating(mechanisms, when, async (port, got) => {
        const url = `smtp://gate:${encodeURIComponent(password)}@127.0.0.1:${port}`;
        const channel = createEmail({ url, from: 'gate@example.com' }, { silenceMs: 2000 });
        const result = await channel.deliver(
          told({ to: [{ group: asGroupId('data-owners'), to: 'owners@example.com' }] }),
        );
        assert.ok(!result.ok);
        assert.match(result.error.detail, when === 'later' ? /550 5\.7\.1 not with/ : /\(535 5\.7\.8\)/);
        assert.ok(
          got.some((line) => forms.some(([, text]) => line.includes(text))),
          'it was told it',
        );
        for (const [what, text] of forms) assert.ok(!result.error.detail.includes(text), what);
      }));
