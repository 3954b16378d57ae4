/** What Slack sends when somebody presses something, as its documents show it, signed as Slack signs. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { eventsPath } from '../../../../src/channels/slack/http.ts';
import { appId, signingSecret, team, type Loose, type Workspace } from './workspace.ts';

/** Buttons and inputs of some blocks, by `action_id`. */
export function elements(blocks: Loose): readonly Loose[] {
  return blocks.flatMap((block: Loose) => [
    ...(block.elements ?? []),
    ...(block.element ? [block.element] : []),
  ]);
}

/** The button with this `action_id`. Fails where there is none. */
export function buttonOf(blocks: Loose, action: string): Loose {
  const found = elements(blocks).find((one) => one.action_id === `countersign.${action}`);
  assert.ok(
    found !== undefined,
    `no button ${action} among ${JSON.stringify(elements(blocks).map((one) => one.action_id))}`,
  );
  return found;
}

export const hasButton = (blocks: Loose, action: string): boolean =>
  elements(blocks).some((one) => one.action_id === `countersign.${action}`);

let pressed = 0;

/** Somebody's press on a button of a message. `over` replaces what it says. */
export async function pressOn(
  workspace: Workspace,
  at: { readonly channel: string; readonly message: Loose },
  user: string,
  action: string,
  over: Loose = {},
): Promise<Loose> {
  const { value, block_id } = buttonOf(at.message.blocks, action);
  return {
    ...common(user),
    type: 'block_actions',
    container: { type: 'message', message_ts: at.message.ts, channel_id: at.channel, is_ephemeral: false },
    trigger_id: await trigger(workspace, user),
    channel: { id: at.channel, name: 'somewhere' },
    message: { ...at.message, app_id: appId, bot_id: 'B0GATE' },
    response_url: 'http://127.0.0.1:1/never-called',
    actions: [actionOf(action, value, block_id)],
    ...over,
  };
}

/** Somebody's press on a button of their own modal or App Home. */
export async function pressIn(
  workspace: Workspace,
  view: Loose,
  user: string,
  action: string,
  over: Loose = {},
): Promise<Loose> {
  const { value, block_id } = buttonOf(view.blocks, action);
  return {
    ...common(user),
    type: 'block_actions',
    container: { type: 'view', view_id: view.id },
    trigger_id: await trigger(workspace, user, view.type === 'modal' ? view.id : undefined),
    view: { ...view, app_id: appId, team_id: team },
    actions: [actionOf(action, value, block_id)],
    ...over,
  };
}

/** A form that somebody sends off. */
export const submit = (
  view: Loose,
  user: string,
  written: { readonly reason?: string; readonly unsafe?: boolean } = {},
  over: Loose = {},
): Loose => ({
  ...common(user),
  type: 'view_submission',
  trigger_id: 'unused',
  view: {
    ...view,
    app_id: appId,
    team_id: team,
    state: {
      values: {
        reason: { reason: { type: 'plain_text_input', value: written.reason ?? null } },
        unsafe: {
          unsafe: {
            type: 'checkboxes',
            selected_options: written.unsafe === true ? [{ value: 'unsafe' }] : [],
          },
        },
      },
    },
  },
  ...over,
});

export const eventOf = (event: Loose, over: Loose = {}): Loose => {
  pressed += 1;
  return {
    type: 'event_callback',
    api_app_id: appId,
    team_id: team,
    event_id: `Ev${pressed}`,
    event_time: Math.floor(Date.now() / 1000),
    event,
    ...over,
  };
};

function common(user: string): Loose {
  return {
    api_app_id: appId,
    token: 'legacy-and-ignored',
    team: { id: team, domain: 'acme' },
    enterprise: null,
    is_enterprise_install: false,
    user: { id: user, username: 'somebody', name: 'somebody', team_id: team },
  };
}

function actionOf(action: string, value: string, block_id: unknown): Loose {
  pressed += 1;
  const action_ts = `${Math.floor(Date.now() / 1000)}.${String(pressed).padStart(6, '0')}`;
  return { type: 'button', action_id: `countersign.${action}`, block_id, value, action_ts };
}

async function trigger(workspace: Workspace, user_id: string, view_id?: string): Promise<string> {
  const made = await workspace.call('views.generateTriggerId', {
    user_id,
    ...(view_id === undefined ? {} : { view_id }),
  });
  return made.trigger_id ?? 'none';
}

export interface Signing {
  readonly secret?: string;
  /** Seconds since 1970. */
  readonly time?: number;
  /** Sent instead of what was signed. */
  readonly body?: string;
}

/** A signed request, as Slack sends it: presses as JSON in a form, events as JSON. */
export function signed(
  origin: string,
  payload: Loose,
  { secret = signingSecret, time = Math.floor(Date.now() / 1000), body: instead }: Signing = {},
): Request {
  const isEvent = payload.type === 'event_callback' || payload.type === 'url_verification';
  const body = isEvent
    ? JSON.stringify(payload)
    : new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return new Request(`${origin}${eventsPath}`, {
    method: 'POST',
    headers: {
      'content-type': isEvent ? 'application/json' : 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(time),
      'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`,
    },
    body: instead ?? body,
  });
}
