/** A mail server on a loopback port of its own, and what came to it, decoded as mail programs do. */
import assert from 'node:assert/strict';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface GotMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Names in lower case; lines unfolded, not decoded. */
  readonly headers: ReadonlyMap<string, string>;
  readonly subject: string;
  readonly body: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface MailReceiver {
  readonly port: number;
  readonly got: readonly GotMail[];
  readonly end: () => Promise<void>;
}

/** Refuses what its options refuse, takes the rest. */
export async function mailReceiver(options: SMTPServerOptions = {}, port = 0): Promise<MailReceiver> {
  const got: GotMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', done);
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        got.push({
          ...decoded(Buffer.concat(chunks).toString()),
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((one) => one.address),
          secure: session.secure,
          user: session.user,
        });
        done();
      });
    },
    ...options,
  });
  // Clients that give up mid-way are the point of some tests.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.server.address();
  assert.ok(typeof address === 'object' && address !== null);
  let ended: Promise<void> | undefined;
  return {
    port: address.port,
    got,
    end: () =>
      (ended ??= new Promise((resolve) => {
        server.close(() => resolve());
      })),
  };
}

/** RFC 5322, 2045 and 2047, as far as the gate's mails use them. */
function decoded(raw: string): Pick<GotMail, 'headers' | 'subject' | 'body'> {
  const end = raw.indexOf('\r\n\r\n');
  assert.ok(end > 0, raw);
  const headers = new Map<string, string>();
  for (const row of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const [name = '', ...value] = row.split(':');
    assert.ok(!headers.has(name.toLowerCase()), `two headers ${name}`);
    headers.set(name.toLowerCase(), value.join(':').trim());
  }
  const rest = raw.slice(end + 4);
  const body =
    headers.get('content-transfer-encoding') === 'quoted-printable'
      ? unquoted(rest.replace(/=\r\n/g, ''))
      : headers.get('content-transfer-encoding') === 'base64'
        ? Buffer.from(rest, 'base64').toString()
        : rest;
  return { headers, body: body.replaceAll('\r\n', '\n'), subject: words(headers.get('subject') ?? '') };
}

const unquoted = (quoted: string): string =>
  Buffer.from(
    quoted.replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

const words = (header: string): string =>
  header
    // Between two encoded words a space is no space.
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi, (_all, how: string, what: string) =>
      how.toUpperCase() === 'B'
        ? Buffer.from(what, 'base64').toString()
        : unquoted(what.replaceAll('_', ' ')),
    );
