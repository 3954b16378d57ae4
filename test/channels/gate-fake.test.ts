/** The platform in memory that other tests stand on, held to what every channel keeps. */
import { asApprovalId } from '../../src/core/ids.ts';
import { cannotBeReached, createFakeMessenger, nowIn } from '../support/fake-messenger.ts';
import { gateContract } from './contract-gate.ts';

gateContract('fake', () => {
  const messenger = createFakeMessenger();
  return Promise.resolve({
    name: 'slack',
    config: `groups: { data-owners: { slack: "#data" }, security: { slack: "#security" } }
channels: { slack: { appId: A0123456789, team: T000000001, botToken: xoxb-none, signingSecret: "0123456789abcdef0123456789abcdef" } }
`,
    platforms: () => ({
      slack: {
        messenger,
        organisations: () => ['T000000001'],
        changed: () => undefined,
        handle: () => Promise.resolve(undefined),
        start: () => Promise.resolve(),
        stop: () => Promise.resolve(),
      },
    }),
    async copies(gate, approval) {
      const posts = await gate.gate().parts.store.postsOf(asApprovalId(approval));
      return posts.flatMap((post) => {
        const message = messenger.messages.find((one) => one.id === post.id);
        if (message === undefined || message.deleted) return [];
        const now = nowIn(message);
        return [{ text: [approval, JSON.stringify(now), ...message.replies].join('\n'), open: now.open }];
      });
    },
    breaks: {
      down: () => Promise.resolve(void (messenger.plan = () => ({ fail: cannotBeReached }))),
      up: () => Promise.resolve(void (messenger.plan = () => 'ok')),
    },
    end: () => Promise.resolve(),
  });
});
