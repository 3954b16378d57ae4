/**
 * What the log says that somebody was shown is what was there when they pressed. Between a press and its turn a card is sent anew
 * (somebody else approved, a crash, a platform that takes its time to say who pressed): nobody is recorded to have seen that.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { asSha256Hex } from '../../src/core/ids.ts';
import { canonicalize } from '../../src/core/canonical.ts';
import type { Post } from '../../src/core/chat.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { chatBench, slackOf, startChatGate, told, type ChatBench } from '../support/chat.ts';
import type { TestGate } from '../support/gate.ts';

describe('a card that was sent anew between a press and its turn', () => {
  let gate: TestGate;
  let bench: ChatBench;
  const rosa = slackOf('U1');
  before(async () => {
    gate = await startChatGate();
    bench = chatBench(gate);
    await bench.link('rosa', rosa);
  });
  after(() => gate.stop());

  const sentAnew = async (post: Post, more: Partial<Post>): Promise<Post> => {
    const body = { blocks: ['what nobody had seen when it was pressed'] };
    const shown = asSha256Hex(sha256Hex(canonicalize(body)));
    const next = { ...post, shown, updatedAtMs: post.updatedAtMs + 1, ...more };
    const { store } = gate.gate().parts;
    const written = await store.change({
      kind: 'writePost',
      post: next,
      showing: { digest: shown, body },
    });
    assert.ok(written.ok, JSON.stringify(written));
    return next;
  };

  test('the review names what was there when it was pressed', async () => {
    const approval = await bench.ask();
    const post = await bench.post(approval);
    const click = await bench.record(rosa, bench.button(post, 'approve'), post.at);
    assert.ok(click.ok);
    const anew = await sentAnew(post, {});
    assert.notEqual(anew.shown, post.shown);
    assert.equal(told(await bench.chat().carryOut(click.value))[0], 'done');
    const [review] = (await bench.held(approval)).reviews;
    assert.equal(review?.shown, post.shown);
  });

  test('shown-whole: what could not be read whole when it was pressed is not approved because it can be now', async () => {
    const approval = await bench.ask();
    const post = await bench.post(approval, { whole: false });
    const click = await bench.record(rosa, bench.button(post, 'approve'), post.at);
    assert.ok(click.ok);
    await sentAnew(post, { whole: true });
    assert.equal(told(await bench.chat().carryOut(click.value))[0], 'shown_incomplete');
    assert.deepEqual((await bench.held(approval)).reviews, []);
  });
});
