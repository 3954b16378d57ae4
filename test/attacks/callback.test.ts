/**
 * An agent names the URL that the gate calls: it tries to make the gate reach what only the gate can reach, to get past the
 * list of hosts, and to call others back in the gate's name.
 */
import assert from 'node:assert/strict';
import { Socket, type NetConnectOpts } from 'node:net';
import { test } from 'node:test';
import { createCallback } from '../../src/channels/callback.ts';
import { refusedAddress } from '../../src/channels/address.ts';
import type { Net } from '../../src/channels/pinned-post.ts';
import { readCallback, type CallbackRules } from '../../src/core/callback.ts';
import { callbackSecret, isSigned, names, receiver, type Receiver } from '../channels/callback-receiver.ts';
import { denied, heldCase, told } from '../channels/contract.ts';

const rules = (hosts: readonly string[], privateAddresses = false): CallbackRules => ({
  hosts,
  privateAddresses,
});

async function deliver(callback: string, to: CallbackRules, net: Net): Promise<string> {
  const held = heldCase(denied);
  const result = await createCallback({
    settings: { ...to, secret: callbackSecret },
    body: () => ({ state: 'denied' }),
    nowMs: () => 0,
    net,
    timeoutMs: 2000,
  }).deliver(told({ kind: 'approval.closed', case: { ...held, asked: { ...held.asked, callback } } }));
  return result.ok ? 'delivered' : `${result.error.retryable ? 'again' : 'over'}: ${result.error.detail}`;
}

/** A receiver that is closed however the test ends. */
async function receiving(
  work: (to: Receiver, url: string, at: CallbackRules) => Promise<void>,
): Promise<void> {
  const to = await receiver(undefined, { secure: true });
  try {
    await work(to, `https://wf.example.com:${to.port}/`, rules([`wf.example.com:${to.port}`], true));
  } finally {
    await to.end();
  }
}

const insiders = [
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '0.0.0.0',
  '0.1.2.3',
  '224.0.0.1',
  '255.255.255.255',
  '198.18.0.1',
  '192.0.2.1',
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  '::FFFF:7f00:1',
  '::ffff:169.254.169.254',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '::ffff:0:7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::a00:1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '2001:0:7f00:1::1',
  'fd00:ec2::254',
  'fd12:3456::1',
  'fc00::1',
  'fe80::1',
  'fe80::1%lo',
  'fec0::1',
  'ff02::1',
  '2001:db8::1',
  '100::1',
];

test('a name on the list that resolves to the gate’s own networks is not called, in any spelling of the address', async () => {
  for (const address of insiders) {
    for (const answer of [[address], ['1.1.1.1', address], [address, '2606:4700:4700::1111']]) {
      const net = names(answer);
      const said = await deliver('https://wf.example.com/', rules(['wf.example.com']), net);
      assert.match(said, /^over: wf\.example\.com is .* so it is not called$/, `${answer.join()}: ${said}`);
      assert.equal(net.asked.length, 1);
    }
  }
});

test('public addresses are not mistaken for private ones', () => {
  const public_ = ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '169.253.0.1', '2606:4700:4700::1111'];
  for (const address of public_) assert.equal(refusedAddress(address, false), null, address);
});

test('what is dangerous to allow still leaves out metadata, link-local, multicast and IPv4 in IPv6', () => {
  const allowed = insiders.filter((address) => refusedAddress(address, true) === null);
  assert.deepEqual(allowed, [
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    '0:0:0:0:0:0:0:1',
    'fd12:3456::1',
    'fc00::1',
  ]);
});

test('an address instead of a name: decimal, octal, hexadecimal, short and mapped ones are no host of the list', () => {
  const spellings = [
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[fd00:ec2::254]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://localhost/',
  ];
  for (const url of spellings) {
    const read = readCallback(url, rules(['wf.example.com', '*.example.com']));
    assert.ok(!read.ok && read.error.code === 'input_invalid', url);
  }
});

test('an address that the operator listed is judged like every other when it is called', async () => {
  const never: Net = { resolve: () => Promise.reject(new Error('an address is not resolved')) };
  for (const url of ['https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/']) {
    const said = await deliver(url, rules(['127.0.0.1']), never);
    assert.equal(said, 'over: 127.0.0.1 is 127.0.0.1: a private address, so it is not called');
  }
});

test('the list of hosts is not got past', () => {
  const listed = rules(['wf.example.com', '*.flows.example.com', 'n8n.example.com:5678']);
  const refused = [
    'https://evil-wf.example.com/',
    'https://wf.example.com.evil.com/',
    'https://wf.example.com@evil.com/',
    'https://wf.example.com:443@evil.com/',
    'https://user:pass@wf.example.com/',
    'https://user@wf.example.com/',
    'https://evil.com/wf.example.com',
    'https://evil.com/?x=.flows.example.com',
    'https://evil.com#.flows.example.com',
    'https://evil.com\\.flows.example.com/',
    'https://wf.example.com\\@evil.com/',
    'https://wf.example.com./',
    'https://a.flows.example.com./',
    'https://flows.example.com/',
    'https://evilflows.example.com/',
    'https://.flows.example.com/',
    'https://a..flows.example.com/',
    'https://a.flows.example.com.evil.com/',
    'https://wf.example.com:8443/',
    'https://wf.example.com:80/',
    'https://n8n.example.com/',
    'https://n8n.example.com:56780/',
    'http://wf.example.com/',
    'ftp://wf.example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'wf.example.com',
    '//wf.example.com/',
    '',
    ' https://wf.example.com/',
    'https://wf.example.com/\n',
    'https://wf.exa\tmple.com/',
    'https://wf.example.com/ x',
    'https://ｗf.example.com/',
    'https://wf。example.com/',
    'https://wf.еxample.com/',
    'https://xn--wf-kmc.example.com/',
    'https://wf%2eexample.com.evil.com/',
    'https://wf.example.com/#fragment',
    `https://wf.example.com/${'x'.repeat(2000)}`,
  ];
  for (const url of refused) {
    const read = readCallback(url, listed);
    assert.ok(!read.ok && read.error.code === 'input_invalid', url);
  }
});

test('what is on the list is accepted, and given back as it will be called', () => {
  const listed = rules([
    'wf.example.com',
    '*.flows.example.com',
    'n8n.example.com:5678',
    'plain.example.com:443',
  ]);
  for (const [url, href] of [
    ['https://wf.example.com/resume?x=1', 'https://wf.example.com/resume?x=1'],
    ['https://WF.Example.COM/a/../b', 'https://wf.example.com/b'],
    ['HTTPS://wf.example.com:443/', 'https://wf.example.com/'],
    ['https://wf%2eexample.com/', 'https://wf.example.com/'],
    ['https://a.flows.example.com/', 'https://a.flows.example.com/'],
    ['https://a.b.flows.example.com/', 'https://a.b.flows.example.com/'],
    ['https://n8n.example.com:5678/', 'https://n8n.example.com:5678/'],
    ['https://plain.example.com/', 'https://plain.example.com/'],
  ]) {
    const read = readCallback(url ?? '', listed);
    assert.ok(read.ok, url);
    assert.equal(read.value.href, href);
  }
});

test('a name that answers differently a moment later is resolved once, and called at what was judged', () =>
  receiving(async (to, url, at) => {
    // Where it was resolved again for the connection, that would go to an address where nobody listens.
    const net = names(['127.0.0.1'], ['127.0.0.2']);
    assert.equal(await deliver(url, at, net), 'delivered');
    assert.deepEqual(net.asked, ['wf.example.com']);
    assert.equal(to.got.length, 1);
  }));

test('a name that is public when it is judged and private a moment later is connected to at the public address only', async (t) => {
  const net = names(['1.1.1.1'], ['127.0.0.1']);
  const went: unknown[] = [];
  // Nothing leaves this machine: where the connection would go is asked of what it was given.
  t.mock.method(Socket.prototype, 'connect', function connect(this: Socket, options: NetConnectOpts) {
    assert.ok('lookup' in options && options.lookup !== undefined);
    options.lookup('wf.example.com', { all: true }, (_error, addresses) => {
      went.push(addresses);
      this.destroy(new Error('outside'));
    });
    return this;
  });
  const at = rules(['wf.example.com']);
  assert.equal(await deliver('https://wf.example.com/', at, net), 'again: outside');
  assert.deepEqual(went, [[{ address: '1.1.1.1', family: 4 }]]);
  assert.deepEqual(net.asked, ['wf.example.com']);
  // The next try resolves anew, and judges anew.
  assert.match(await deliver('https://wf.example.com/', at, net), /^over: .*127\.0\.0\.1: a private address/);
  assert.equal(went.length, 1);
});

test('whoever forges a callback has no signature that verifies', () =>
  receiving(async (to, url, at) => {
    assert.equal(await deliver(url, at, names(['127.0.0.1'])), 'delivered');
    const [one] = to.got;
    assert.ok(one !== undefined && isSigned(one));
    assert.ok(!isSigned({ ...one, body: one.body.replace('denied', 'ready') }));
    assert.ok(!isSigned({ ...one, headers: { ...one.headers, 'webhook-id': 'ntc_2' } }));
    assert.ok(!isSigned({ ...one, headers: { ...one.headers, 'webhook-timestamp': '1' } }));
    const other = `whsec_${Buffer.from('the key of somebody else, as long').toString('base64')}`;
    assert.ok(!isSigned(one, other));
  }));
