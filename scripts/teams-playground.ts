/**
 * Tries the gate's cards in Microsoft's playground for Teams, on a developer's machine and on loopback alone: a gate of its own
 * posts a card there, Chromium presses its buttons, and every step says what was seen (docs/teams.md, "Trying it without
 * Microsoft's cloud"). It is no part of the tests.
 *
 *     node bin/node.mjs scripts/teams-playground.ts [--playground PATH] [--look FILE.png]
 *
 * The playground is Microsoft's and is neither part of this repository nor installed by this: PATH is a folder that you have
 * installed it in. Ends with 0 where everything was seen, 1 where something was not, 2 where there is no playground.
 *
 * Promises: it makes everything anew, in temporary folders; at its end and after Ctrl-C nothing of that is left.
 */
import { parseArgs } from 'node:util';
import { approvalStatusOf } from '../src/core/case.ts';
import type { ApprovalId } from '../src/core/ids.ts';
import { withTeams } from '../test/channels/teams/support/gate-rig.ts';
import { channel, clientId, startPlatform, tenant } from '../test/channels/teams/support/platform.ts';
import { chatBench } from '../test/support/chat.ts';
import { eventually, operations, people, startTestGate } from '../test/support/gate.ts';
import { startBetween } from './playground/between.ts';
import { cutOff, openPage } from './playground/page.ts';
import { findPlayground, howToGet, startPlayground, triedWith, type Found } from './playground/program.ts';

/** What an agent may try: in Markdown this would be bold, and a link. */
const claim = '**APPROVED BY CISO** [safe](https://evil.test)';
/** Much that cannot be wrapped, and then what matters. */
const far = `${'x'.repeat(120)}${' '.repeat(120)}to evil.test`;
const reason = 'Not without the invoice.';

const { values } = parseArgs({ options: { playground: { type: 'string' }, look: { type: 'string' } } });
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());

/** Ends what was started, the last first. */
const ends: (() => Promise<void>)[] = [];
async function started<T>(what: Promise<T>, end: (made: T) => Promise<void>): Promise<T> {
  const made = await what;
  ends.push(() => end(made));
  ending.signal.throwIfAborted();
  return made;
}

let failed = 0;
function saw(what: string, holds: boolean, more = ''): void {
  if (!holds) failed += 1;
  console.log(`${holds ? 'seen     ' : 'NOT SEEN '} ${what}${more}`);
}

async function world(found: Found) {
  const platform = await started(startPlatform(), (one) => one.stop());
  const between = await started(
    startBetween(platform, (line) => console.log(`           ${line}`)),
    (one) => one.stop(),
  );
  const { origin, serviceUrl } = between;
  const cloud = { ...platform.settings.cloud, serviceOrigins: [origin], serviceUrl };
  const gate = await started(
    startTestGate({ config: people + operations, adapt: withTeams({ ...platform.settings, cloud }) }),
    (one) => one.stop(),
  );
  const user = platform.person('rosa');
  const others = ['sam', 'mia', 'lee', 'ada', 'gus'].map((name) => platform.person(name));
  const team = { tenant, bot: `28:${clientId}`, channel, user, others };
  const playground = await started(startPlayground(found, team, between), (one) => one.stop());
  between.join({ gate: gate.gate().url, playground: playground.origin });
  const page = await started(openPage(playground.origin), (one) => one.close());
  // Whatever waits for the page ends with it.
  ending.signal.addEventListener('abort', () => void page.close().catch(() => undefined));
  const account = { kind: 'teams', issuer: tenant, subject: user.aadObjectId, display: user.name } as const;
  return { bench: chatBench(gate, 'teams'), page, account };
}

async function tryIt(found: Found): Promise<void> {
  const { bench, page, account } = await world(found);
  const decided = async (approval: ApprovalId, status: 'approved' | 'denied'): Promise<boolean> => {
    const reached = async (): Promise<boolean> => {
      ending.signal.throwIfAborted();
      return approvalStatusOf(await bench.held(approval), Date.now()) === status;
    };
    return eventually(reached, status).then(
      () => true,
      () => false,
    );
  };
  const byWhom = async (approval: ApprovalId): Promise<string> =>
    (await bench.held(approval)).reviews
      .map((one) => `: ${one.person} in ${one.channel}${one.reason === null ? '' : `, “${one.reason}”`}`)
      .join('');

  const first = await bench.ask(500, { reason: claim, input: { cents: 500, note: far } });
  await page.open.waitFor();
  saw('the card is in the channel, with its buttons', true);
  await page.shows(claim, page.open);
  saw('what the agent wrote is literal: no link of it', (await page.open.locator('a').count()) === 0);
  const cut = await cutOff(page.open);
  saw(
    'all text is within the card',
    cut.length === 0,
    cut.map((one) => `\n             beyond its edge: ${one}`).join(''),
  );
  if (values.look !== undefined) await page.picture(values.look);

  await page.press('Approve');
  await page.shows('This account is not linked to anybody of the gate yet');
  saw('somebody whom the gate does not know is refused', (await bench.held(first)).reviews.length === 0);

  await bench.link('rosa', account);
  await page.press('Approve');
  saw('the approval is approved', await decided(first, 'approved'), await byWhom(first));
  await page.shows('Rosa Diaz approved in Teams');
  await page.open.waitFor({ state: 'detached' });
  saw('the card says so, and has no buttons to decide with', true);

  const second = await bench.ask(700, { reason: 'A customer asked.' });
  await page.open.waitFor();
  await page.press('Deny…');
  await page.write(reason);
  await page.press('Deny');
  saw('the next one is denied, with the reason', await decided(second, 'denied'), await byWhom(second));
  await page.shows('Denied by Rosa Diaz');
  await page.open.waitFor({ state: 'detached' });
  saw('that card says so, too', true);
  if (values.look !== undefined) await page.picture(values.look.replace(/(\.png)?$/, '-decided.png'));
}

const found = await findPlayground(values.playground ?? process.cwd());
if (found === undefined) {
  console.error(howToGet);
  process.exit(2);
}
console.log(
  `Microsoft’s playground ${found.version} (tried with ${triedWith}), under the licence in ${found.folder}`,
);
try {
  await tryIt(found);
} catch (error) {
  failed += 1;
  if (!ending.signal.aborted) console.error(error);
} finally {
  for (const end of ends.toReversed()) await end().catch((error: unknown) => console.error(error));
}
process.exit(ending.signal.aborted ? 130 : failed === 0 ? 0 : 1);
