/** Approving in Slack where a policy asks for a reason: through a form, and through nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asApprovalId, type ApprovalId } from '../../../src/core/ids.ts';
import { eventually, policies as basePolicies } from '../../support/gate.ts';
import { eventOf, hasButton, pressIn, pressOn, submit } from './support/presses.ts';
import { inRig, reviewsOf, type Card, type SlackRig } from './support/rig.ts';
import type { Loose } from './support/workspace.ts';

const gate = {
  operations: '  shop___tip: { input: { type: object, properties: { cents: { type: integer } } } }\n',
  policies: `${basePolicies}
@id("tip.reason") @title("A tip wants a reason") @approvers("data-owners") @reason("required")
forbid (principal, action == Action::"shop___tip", resource);
`,
};

let cents = 0;
async function askTip(rig: SlackRig): Promise<ApprovalId> {
  const token = await rig.bench.gate.token('agent', 'crm-bot');
  const input = { cents: (cents += 1) };
  const answer = await rig.bench.gate.call(token, 'POST', '/v1/actions', { operation: 'shop___tip', input });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return asApprovalId(String(answer.body.approval.id));
}

const press = async (rig: SlackRig, card: Card, name: string, action: string, over: Loose = {}) =>
  rig.send(await pressOn(rig.workspace, card, rig.workspace.user(name), action, over));

async function opened(rig: SlackRig, method = 'views.open'): Promise<Loose> {
  await eventually(() => rig.workspace.calls(method).length > 0, `${method} is called`);
  const { answer } = rig.workspace.calls(method).at(-1) ?? {};
  assert.equal(answer.ok, true, JSON.stringify(answer));
  return answer.view;
}

const inForm = (form: Loose): readonly Loose[] =>
  form.blocks.filter((block: Loose) => block.type === 'input');

test('the card says that a reason is asked for; the form asks for it; what it says is the review', () =>
  inRig(
    async (rig) => {
      const approval = await askTip(rig);
      const card = await rig.card(approval);
      assert.match(JSON.stringify(card.message.blocks), /The policy asks for a reason with an approval/);
      assert.ok(!hasButton(card.message.blocks, 'approve'));
      await press(rig, card, 'rosa', 'approve_why');
      const form = await opened(rig);
      assert.deepEqual(
        inForm(form).map((block) => [block.optional, block.element.type, block.element.min_length]),
        [[false, 'plain_text_input', 1]],
      );
      assert.deepEqual(await reviewsOf(rig, approval), [], 'nothing is decided before it is sent off');
      const sent = submit(form, rig.workspace.user('rosa'), { reason: 'he did well' });
      const answer = await rig.send(sent);
      assert.equal(JSON.parse(answer.body).response_action, 'update');
      await eventually(async () => (await reviewsOf(rig, approval)).length === 1, 'it is approved');
      const [review] = (await rig.bench.held(approval)).reviews;
      assert.deepEqual(
        [review?.person, review?.decision, review?.reason, review?.unsafe, review?.shown],
        ['rosa', 'approve', 'he did well', false, card.post.shown],
      );
      await eventually(() => rig.workspace.calls('views.update').length > 0, 'the form says so');
      assert.match(JSON.stringify(rig.workspace.calls('views.update')[0]?.args), /You approved it/);
      await rig.send(sent);
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack'], 'sent again, it is the same');
    },
    { gate },
  ));

test('recorded before it is acknowledged: where it cannot be, nothing is acknowledged and nothing happens', () =>
  inRig(
    async (rig) => {
      const approval = await askTip(rig);
      await press(rig, await rig.card(approval), 'rosa', 'approve_why');
      const form = await opened(rig);
      const sent = submit(form, rig.workspace.user('rosa'), { reason: 'he did well' });
      const { store } = rig.bench.gate.gate().parts;
      const change = store.change.bind(store);
      store.change = () =>
        Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'the disk is full' } });
      assert.equal((await rig.send(sent)).status, 500);
      store.change = change;
      assert.deepEqual(await reviewsOf(rig, approval), []);
      assert.equal((await rig.send(sent)).status, 200);
      await eventually(async () => (await reviewsOf(rig, approval)).length === 1, 'it works afterwards');
    },
    { gate },
  ));

test('no reason, or one of blanks: said in the form, which stays open; nothing is recorded', () =>
  inRig(
    async (rig) => {
      const approval = await askTip(rig);
      await press(rig, await rig.card(approval), 'rosa', 'approve_why');
      const form = await opened(rig);
      for (const written of [{}, { reason: '' }, { reason: ' \n\t ' }]) {
        const answer = await rig.send(submit(form, rig.workspace.user('rosa'), written));
        const { response_action, errors } = JSON.parse(answer.body);
        assert.equal(response_action, 'errors');
        assert.match(errors.reason, /say why/);
      }
      assert.deepEqual(await reviewsOf(rig, approval), []);
      assert.deepEqual(await rig.bench.chat().open('slack'), []);
    },
    { gate },
  ));

test('a press that asks for no form is refused: the reason is the policy’s, and not the button’s', () =>
  inRig(
    async (rig) => {
      const approval = await askTip(rig);
      const card = await rig.card(approval);
      const plain = JSON.parse(JSON.stringify(card.message).replaceAll('approve_why', 'approve'));
      await press(rig, { ...card, message: plain }, 'rosa', 'approve');
      assert.match((await rig.told('rosa'))[0] ?? '', /asks for a reason/);
      assert.deepEqual(await reviewsOf(rig, approval), []);
    },
    { gate },
  ));

test('shown whole, or no form and no approval', () =>
  inRig(
    async (rig) => {
      const approval = await askTip(rig);
      const card = await rig.card(approval);
      await press(rig, card, 'rosa', 'approve_why');
      const form = await opened(rig);
      // What is there by the time that it is sent off is not the whole any more.
      await rig.note({ ...card.post, whole: false });
      await rig.send(submit(form, rig.workspace.user('rosa'), { reason: 'he did well' }));
      await eventually(() => rig.workspace.calls('views.update').length > 0, 'the form says why not');
      assert.match(JSON.stringify(rig.workspace.calls('views.update')[0]?.args), /was not shown here/);
      assert.deepEqual(await reviewsOf(rig, approval), []);
      await press(rig, card, 'rosa', 'approve_why');
      assert.match((await rig.told('rosa'))[0] ?? '', /was not shown here/);
      assert.equal(rig.workspace.calls('views.open').length, 1);
    },
    { gate },
  ));

test('nobody is asked why they approve their own: refused at once, told to them alone, and in the log', () =>
  inRig(
    async (rig) => {
      const approval = await askTip(rig);
      await press(rig, await rig.card(approval), 'sam', 'approve_why');
      assert.match((await rig.told('sam'))[0] ?? '', /own/i);
      assert.deepEqual(rig.workspace.calls('views.open'), []);
      const [entry] = await rig.bench.entries('click.refused');
      assert.deepEqual([entry?.data['verb'], entry?.data['code']], ['approve', 'no_self_approval']);
    },
    { gate },
  ));

test('from the whole in a view, on top of it', () =>
  inRig(
    async (rig) => {
      const approval = await askTip(rig);
      const user = rig.workspace.user('rosa');
      await rig.send(eventOf({ type: 'app_home_opened', user, channel: 'D1', tab: 'home', event_ts: '1.1' }));
      const home = await opened(rig, 'views.publish');
      await rig.send(await pressIn(rig.workspace, home, user, 'inbox'));
      const whole = await opened(rig);
      assert.match(JSON.stringify(whole.blocks), /The policy asks for a reason with an approval/);
      await eventually(
        async () =>
          (await rig.bench.gate.gate().parts.store.postsOf(approval)).some((one) => one.state === 'posted'),
        'it is written down',
      );
      await rig.send(await pressIn(rig.workspace, whole, user, 'approve_why'));
      const form = await opened(rig, 'views.push');
      await rig.send(submit(form, user, { reason: 'he did well' }));
      await eventually(async () => (await reviewsOf(rig, approval)).length === 1, 'it is approved');
      assert.equal((await rig.bench.held(approval)).reviews[0]?.reason, 'he did well');
    },
    { gate },
  ));
