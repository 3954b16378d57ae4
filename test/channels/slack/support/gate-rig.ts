/** Slack at the other end of a whole gate, for what every channel keeps (test/channels/contract-gate.ts). Over HTTP. */
import type { Settings } from '../../../../src/config.ts';
import { asGroupId } from '../../../../src/core/ids.ts';
import type { Route } from '../../../../src/ports/channel.ts';
import type { Copy, GateRig } from '../../contract-gate.ts';
import { elements } from './presses.ts';
import { startWorkspace, type Loose, type Workspace } from './workspace.ts';

/** Groups of the contract, and the channels of the workspace that they are reached in. */
const routes = { 'data-owners': '#data-approvals', security: '#security' } as const;

export interface SlackGateRig extends GateRig {
  /** For presses (presses.ts) and for looking at what was called. */
  readonly workspace: Workspace;
}

export async function slackGateRig(): Promise<SlackGateRig> {
  const workspace = await startWorkspace();
  const rooms = Object.values(routes).map((name) => workspace.channel(name.slice(1)));
  const groups = new Map(
    Object.entries(routes).map(([group, to]) => {
      const way: readonly Route[] = [{ channel: 'slack', to }];
      return [asGroupId(group), way] as const;
    }),
  );
  return {
    name: 'slack',
    workspace,
    adapt: (settings: Settings): Settings => ({
      ...settings,
      channels: {
        ...settings.channels,
        slack: workspace.settings('http'),
        routing: { ...settings.channels.routing, groups },
      },
    }),
    async copies(_gate, approval) {
      const found: Copy[] = [];
      for (const room of rooms)
        for (const message of await workspace.messages(room))
          if (JSON.stringify(message).includes(approval)) found.push(await copyOf(workspace, room, message));
      return found;
    },
    breaks: {
      down: async () => workspace.breakDown(),
      up: async () => workspace.mend(),
    },
    end: () => workspace.stop(),
  };
}

/** A message with what was said under it. Open: something on it can be pressed that decides. */
async function copyOf(workspace: Workspace, channel: string, message: Loose): Promise<Copy> {
  const replies = await workspace.replies(channel, message.ts);
  return {
    text: [message, ...replies].map((one) => `${one.text} ${textOf(one.blocks ?? [])}`).join('\n'),
    open: elements(message.blocks ?? []).some((one) => /approve|deny|stop$/.test(one.action_id ?? '')),
  };
}

/** All that is read in blocks. */
function textOf(value: Loose): string {
  if (Array.isArray(value)) return value.map(textOf).join(' ');
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, inner]) => (key === 'text' && typeof inner === 'string' ? inner : textOf(inner)))
    .join(' ');
}
