/** E-mail: a real mail server takes what is sent, or refuses it in every way that mail servers do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { SMTPServerOptions } from 'smtp-server';
import { createEmail, type EmailMore } from '../../src/channels/email.ts';
import { mailOf, unlinked } from '../../src/channels/email-text.ts';
import { asGlassId, type Glass } from '../../src/core/glass.ts';
import { asAgentId, asApprovalId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { Channel, ChannelFailure, Delivered, Destination } from '../../src/ports/channel.ts';
import { certificate, privateKey } from './callback-receiver.ts';
import { channelContract, denied, escalating, execution, heldCase, secretInput, told } from './contract.ts';
import { mailReceiver, type MailReceiver } from './mail-receiver.ts';

const owners: readonly Destination[] = [{ group: asGroupId('data-owners'), to: 'owners@example.com' }];
const two: readonly Destination[] = [...owners, { group: asGroupId('sre'), to: 'sre@example.com' }];
const from = 'Countersign <gate@example.com>';

const emailTo = ({ port }: { readonly port: number }, more: EmailMore = {}): Channel =>
  createEmail({ url: `smtp://127.0.0.1:${port}`, from }, { silenceMs: 2000, ...more });

const glass: Glass = {
  id: asGlassId('gls_1'),
  approval: asApprovalId('apr_1'),
  agent: asAgentId('crm-bot'),
  operation: 'crm___export_rows',
  fromMs: 0,
  untilMs: 3_600_000,
  asker: asPersonId('rosa'),
  approvers: [asPersonId('lee'), asPersonId('mia')],
  owners: [],
  reason: 'see https://evil.test',
  ended: null,
  review: null,
};

async function receiving(
  options: SMTPServerOptions,
  work: (at: MailReceiver) => Promise<void>,
): Promise<void> {
  const at = await mailReceiver(options);
  try {
    await work(at);
  } finally {
    await at.end();
  }
}

function failed(result: Delivered): ChannelFailure {
  assert.ok(!result.ok, JSON.stringify(result));
  return result.error;
}

channelContract('e-mail', async () => {
  const at = await mailReceiver();
  return {
    channel: emailTo(at),
    to: owners,
    received: () => at.got.map((one) => `${one.subject}\n${one.body}`),
    breakDown: at.end,
    end: at.end,
  };
});

test('a mail is from the gate, to the address, plain, and says that a machine wrote it', () =>
  receiving({}, async (at) => {
    assert.deepEqual(await emailTo(at).deliver(told({ to: owners })), {
      ok: true,
      value: [{ to: 'owners@example.com', ref: '<ntc_1@example.com>' }],
    });
    const [mail] = at.got;
    assert.ok(mail !== undefined && at.got.length === 1);
    assert.deepEqual([mail.from, mail.to], ['gate@example.com', ['owners@example.com']]);
    assert.equal(mail.subject, 'Approval needed: Export 5,204 rows of customers · prod');
    assert.equal(mail.headers.get('from'), from);
    assert.equal(mail.headers.get('to'), 'owners@example.com');
    assert.equal(mail.headers.get('auto-submitted'), 'auto-generated');
    assert.match(mail.headers.get('content-type') ?? '', /^text\/plain/);
    assert.equal(
      mail.body,
      `Approval needed

Export 5,204 rows of customers · prod

Agent: crm-bot
Operation: crm___export_rows
For: data-owners
Expires: 1970-01-01 04:00 UTC

Look at it, and decide there:
http://localhost:7788/approvals/apr_1

-- 
This mail only tells; nothing in it decides, and answers to it are not read.
`,
    );
    assert.ok(!mail.body.includes(secretInput));
  }));

test('all mails of an approval are one thread, each has a name of its own, and a repeat has the same', () =>
  receiving({}, async (at) => {
    for (const more of [
      { id: 'ntc_1' },
      { id: 'ntc_1' },
      { id: 'ntc_2', kind: 'approval.closed', case: heldCase(denied) },
    ] as const)
      assert.ok((await emailTo(at).deliver(told({ to: owners, ...more }))).ok);
    assert.deepEqual(
      at.got.map(({ headers }) => headers.get('message-id')),
      ['<ntc_1@example.com>', '<ntc_1@example.com>', '<ntc_2@example.com>'],
    );
    for (const { headers } of at.got)
      assert.deepEqual(
        [headers.get('in-reply-to'), headers.get('references')],
        ['<apr_1@example.com>', '<apr_1@example.com>'],
      );
  }));

test('who is nobody’s destination gets nothing, and an address of two groups one mail', () =>
  receiving({}, async (at) => {
    assert.deepEqual(await emailTo(at).deliver(told({ to: [] })), { ok: true, value: [] });
    const same = [...owners, { group: asGroupId('sre'), to: 'owners@example.com' }];
    assert.ok((await emailTo(at).deliver(told({ to: same }))).ok);
    assert.equal(at.got.length, 1);
    assert.match(at.got[0]?.body ?? '', /For: data-owners and sre/);
  }));

test('mails are sent of what somebody must know, and of nothing else', () => {
  const subjects = (
    [
      [{ kind: 'approval.opened' }, 'Approval needed'],
      [{ kind: 'approval.escalated', case: escalating(heldCase()) }, 'Approval still needed, and escalated'],
      [{ kind: 'approval.reminded', nowMs: 3_600_000 }, 'Approval still needed, 3 h left'],
      [{ kind: 'approval.closed', case: heldCase(denied) }, 'Denied'],
      [{ kind: 'approval.closed', nowMs: 5 * 3_600_000 }, 'Expired'],
      [{ kind: 'approval.reviewed' }, null],
      [{ kind: 'execution.ended', case: heldCase({ execution }) }, null],
      [{ kind: 'glass.opened' }, 'BREAK-GLASS is open'],
      [{ kind: 'glass.closed' }, 'BREAK-GLASS is over and must be reviewed'],
      [{ kind: 'glass.reviewed' }, 'BREAK-GLASS was reviewed'],
      // Too late: nobody is asked about what is over.
      [{ kind: 'approval.opened', case: heldCase(denied) }, null],
      [{ kind: 'approval.reminded', nowMs: 5 * 3_600_000 }, null],
    ] as const
  ).map(([more, says]) => [mailOf(told({ ...more, headline: 'H' }))?.subject ?? null, says]);
  for (const [subject, says] of subjects) assert.equal(subject, says === null ? null : `${says}: H`);
});

test('an escalation names the groups whose turn it is; a mail instead of another channel says so', () => {
  const held = escalating(heldCase());
  const of = (more: object): string => mailOf(told({ to: owners, ...more }))?.text ?? '';
  const escalated = of({ kind: 'approval.escalated', case: held, nowMs: 600_000 });
  assert.match(escalated, /\nFor: oncall\n/);
  assert.match(of({ insteadOf: 'slack' }), /You get this mail because Slack could not be reached\./);
  assert.doesNotMatch(of({}), /could not be reached/);
});

test('break-glass: who opened what for how long, and why, in their words made harmless', () => {
  const mail = mailOf(
    told({
      kind: 'glass.opened',
      url: 'http://localhost:7788/break-glass',
      glass: {
        now: glass,
        names: new Map([
          [asPersonId('rosa'), 'Rosa Diaz'],
          [asPersonId('lee'), 'Lee'],
        ]),
      },
    }),
  );
  assert.match(mail?.text ?? '', /Asked by: Rosa Diaz\nApproved by: Lee and mia\n/);
  assert.match(mail?.text ?? '', /Why: see https\[:\]\/\/evil\[\.\]test\n/);
  assert.match(mail?.text ?? '', /Passes without people until: 1970-01-01 01:00 UTC/);
});

test('no header and no second recipient comes out of a headline, an agent or an address', () =>
  receiving({}, async (at) => {
    const held = heldCase();
    const hostile = 'x\r\nBcc: victim@example.com\r\n\r\n<b>forged</b>\u202E, y@example.com';
    const result = await emailTo(at).deliver(
      told({
        to: owners,
        headline: hostile,
        case: { ...held, asked: { ...held.asked, action: { ...held.asked.action, operation: hostile } } },
      }),
    );
    assert.ok(result.ok);
    const [mail] = at.got;
    assert.ok(mail !== undefined);
    assert.deepEqual(mail.to, ['owners@example.com']);
    assert.ok(!mail.headers.has('bcc'));
    assert.match(mail.subject, /^Approval needed: x⟨U\+000D⟩⟨U\+000A⟩Bcc: victim@example/);
    assert.ok(!mail.subject.includes('\u202E') && !mail.body.includes('\u202E'));
    assert.doesNotMatch(mail.body, /^Bcc:/m);
    await emailTo(at).deliver(
      told({ to: [{ group: asGroupId('g'), to: 'a@example.com, b@example.com\r\nBcc: c@example.com' }] }),
    );
    assert.ok(at.got.slice(1).every(({ to, headers }) => to.length === 1 && !headers.has('bcc')));
  }));

test('a headline of 100,000 characters is cut in a mail that stays small', () =>
  receiving({}, async (at) => {
    assert.ok((await emailTo(at).deliver(told({ to: owners, headline: '😀'.repeat(50_000) }))).ok);
    const [mail] = at.got;
    assert.ok(mail !== undefined && mail.subject.length < 350 && mail.body.length < 3000);
    assert.ok(mail.subject.endsWith('😀…') && mail.subject.isWellFormed());
  }));

test('mail programs find one link, and it is the gate’s', async () => {
  const words = 'open https://evil.test/approve or www.evil.test, evil。test, a@evil.test; 1.5 of v2.md.';
  assert.equal(
    unlinked(words),
    'open https[:]//evil[.]test/approve or www[.]evil[.]test, evil[。]test, a@evil[.]test; 1.5 of v2[.]md.',
  );
  const text = mailOf(told({ to: owners, headline: words }))?.text ?? '';
  // What programs take for a link: a scheme, or a name with a dot and letters after it.
  assert.deepEqual(text.match(/\S*(?:\w:\/\/|\w\.[a-z]{2,})\S*/gi), [
    'http://localhost:7788/approvals/apr_1',
  ]);
  assert.match(text, /\[\.\] and \[:\] are a dot and a colon/);
});

test('refused for good is not tried again, refused for now is; nobody else’s mail waits for it', async () => {
  const refusing = (code: number): SMTPServerOptions => ({
    onRcptTo: (address, _session, done) =>
      address.address === 'owners@example.com'
        ? done(Object.assign(new Error('mailbox says no'), { responseCode: code }))
        : done(),
  });
  for (const [code, retryable] of [
    [550, false],
    [552, false],
    [451, true],
    [450, true],
  ] as const)
    await receiving(refusing(code), async (at) => {
      const channel = emailTo(at);
      const error = failed(await channel.deliver(told({ to: two })));
      assert.deepEqual([error.retryable, error.whole], [retryable, undefined], `${code}`);
      assert.match(error.detail, new RegExp(`^owners@example.com was refused: ${code} mailbox says no$`));
      assert.deepEqual(
        at.got.map(({ to }) => to[0]),
        ['sre@example.com'],
      );
      // The other one has its mail: a repeat of the notice is none of theirs.
      failed(await channel.deliver(told({ to: two })));
      assert.equal(at.got.length, 1);
      // Another notice is.
      failed(await channel.deliver(told({ to: two, id: 'ntc_9' })));
      assert.equal(at.got.length, 2);
    });
});

test('an address that is taken at last ends the repeats, and proves only what arrived then', () => {
  let refuses = true;
  return receiving(
    {
      onRcptTo: (address, _session, done) =>
        refuses && address.address === 'sre@example.com'
          ? done(Object.assign(new Error('greylisted'), { responseCode: 451 }))
          : done(),
    },
    async (at) => {
      const channel = emailTo(at);
      assert.ok(failed(await channel.deliver(told({ to: two }))).retryable);
      refuses = false;
      assert.deepEqual(await channel.deliver(told({ to: two })), {
        ok: true,
        value: [{ to: 'sre@example.com', ref: '<ntc_1@example.com>' }],
      });
      assert.deepEqual(
        at.got.map(({ to }) => to[0]),
        ['owners@example.com', 'sre@example.com'],
      );
    },
  );
});

test('a server that refuses the gate itself refuses all: the rest is not even tried', () =>
  receiving(
    {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) =>
        auth.password === 'right'
          ? done(null, { user: 'gate' })
          : done(Object.assign(new Error(`no such password: ${auth.password}`), { responseCode: 535 })),
    },
    async (at) => {
      const as = (login: string): Channel =>
        createEmail({ url: `smtp://${login}127.0.0.1:${at.port}`, from }, { silenceMs: 2000 });
      const wrong = failed(await as('gate:wr%2Fong@').deliver(told({ to: two })));
      assert.deepEqual([wrong.retryable, wrong.whole], [true, true]);
      assert.match(wrong.detail, /535/);
      assert.ok(!wrong.detail.includes('wr/ong'), wrong.detail);
      const none = failed(await as('').deliver(told({ to: two })));
      assert.deepEqual([none.retryable, none.whole], [true, true]);
      assert.ok((await as('gate:right@').deliver(told({ to: owners }))).ok);
      assert.deepEqual(
        at.got.map(({ user }) => user),
        ['gate'],
      );
    },
  ));

test('a server that is not there, says nothing, or hangs up: nothing else would arrive either', async () => {
  const at = await mailReceiver();
  await at.end();
  const gone = failed(await emailTo(at).deliver(told({ to: two })));
  assert.deepEqual([gone.retryable, gone.whole], [true, true]);
  assert.match(gone.detail, /ECONNREFUSED/);
  for (const behaves of [
    (): void => undefined,
    (socket: Socket): void => void socket.destroy(),
    (socket: Socket): void => void socket.end('421 going away\r\n'),
    (socket: Socket): void => void socket.write('220 hello\r\n'),
    (socket: Socket): void => void socket.write(`220 ${'x'.repeat(100_000)}`),
  ]) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      behaves(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const error = failed(await emailTo(address, { silenceMs: 200 }).deliver(told({ to: two })));
    assert.deepEqual([error.retryable, error.whole], [true, true], behaves.toString());
    assert.notEqual(error.detail, '');
    assert.equal(sockets.size, 1, 'the second address was tried as well');
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

test('a server that answers a letter now and then is given up after a time', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.write('220-');
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const channel = emailTo(address, { mailMs: 200, silenceMs: 60_000 });
  const error = failed(await channel.deliver(told({ to: two })));
  assert.deepEqual([error.retryable, error.whole], [true, true]);
  assert.match(error.detail, /took longer than 0\.2 s/);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('over TLS the certificate must be the server’s; without TLS only this machine is spoken to', async () => {
  const tls = { key: privateKey, cert: certificate };
  const named = (scheme: string, name: string, port: number, ca?: string): Channel =>
    createEmail(
      { url: `${scheme}://gate:right@${name}:${port}`, from },
      { address: '127.0.0.1', silenceMs: 2000, ...(ca === undefined ? {} : { ca }) },
    );
  const offers: readonly (readonly [scheme: string, offered: SMTPServerOptions])[] = [
    ['smtps', { ...tls, secure: true }],
    ['smtp', { ...tls, disabledCommands: [] }],
  ];
  for (const [scheme, offered] of offers)
    await receiving(
      { ...offered, onAuth: (_auth, _session, done) => done(null, { user: 'gate' }) },
      async (at) => {
        const deliver = (name: string, ca?: string): Promise<Delivered> =>
          named(scheme, name, at.port, ca).deliver(told({ to: owners }));
        assert.ok((await deliver('wf.example.com', certificate)).ok);
        assert.deepEqual([at.got.length, at.got[0]?.secure], [1, true]);
        for (const [name, ca] of [
          ['wf.example.com', undefined],
          ['other.example.com', certificate],
        ] as const) {
          const error = failed(await deliver(name, ca));
          assert.deepEqual([error.retryable, error.whole], [true, true]);
          assert.match(error.detail, /certificate|altnames/i);
        }
        assert.equal(at.got.length, 1);
      },
    );
  // A server, or somebody on the way, that offers no STARTTLS.
  let logins = 0;
  const counting: SMTPServerOptions = {
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => {
      logins += 1;
      done(null, { user: 'gate' });
    },
  };
  await receiving(counting, async (at) => {
    const error = failed(await named('smtp', 'wf.example.com', at.port).deliver(told({ to: owners })));
    assert.deepEqual([error.retryable, error.whole], [true, true]);
    assert.deepEqual([at.got.length, logins], [0, 0]);
  });
});
