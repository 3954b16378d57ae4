/**
 * Slack's Web API as far as a card and a press need it, answering at once, in the bench's own process: what is left of a click is
 * then the gate's. Slack's own answers take tens to hundreds of milliseconds, on top.
 */
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const team = 'T0BENCH';
export const appId = 'A0BENCH';
export const channel = 'C0BENCH';
export const signingSecret = '0123456789abcdef0123456789abcdef';

/** A message that the gate has posted. */
export interface Posted {
  readonly ts: string;
  readonly text: string;
  /** As the gate sent them. */
  readonly blocks: readonly {
    readonly type: string;
    readonly elements?: readonly { readonly action_id?: string; readonly value?: string }[];
  }[];
}

const member = {
  team_id: team,
  name: 'rosa',
  deleted: false,
  is_bot: false,
  is_restricted: false,
  is_ultra_restricted: false,
};

/** Posted by the gate, newest last; the oldest are forgotten. */
const keptMax = 50;

export class Slack {
  readonly posted: Posted[] = [];
  readonly #server: Server;
  #serial = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const answer = this.#answer(request.url ?? '', Buffer.concat(parts).toString('utf8'));
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ ok: true, ...answer }));
      });
    });
  }

  static async start(): Promise<Slack> {
    const slack = new Slack();
    await new Promise<void>((resolve) => slack.#server.listen(0, '127.0.0.1', resolve));
    return slack;
  }

  get url(): string {
    // A server that listens on a port has an address with one.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/`;
  }

  #answer(path: string, text: string): object {
    const method = path.split('/').at(-1)?.split('?')[0] ?? '';
    const form = new URLSearchParams(text);
    switch (method) {
      case 'auth.test':
        return { team_id: team, user_id: 'U0BOT', bot_id: 'B0BOT', url: 'https://bench.slack.com/' };
      case 'users.info':
        return { user: { ...member, id: form.get('user') ?? '' } };
      case 'chat.postMessage': {
        this.#serial += 1;
        const ts = `${1_700_000_000 + this.#serial}.000100`;
        // Messages of the gate's own: a thread's reply has no blocks that decide.
        const blocks = JSON.parse(form.get('blocks') ?? '[]') as Posted['blocks'];
        this.posted.push({ ts, text: form.get('text') ?? '', blocks });
        if (this.posted.length > keptMax) this.posted.shift();
        return { channel, ts, message: { ts } };
      }
      case 'conversations.open':
        return { channel: { id: 'D0BENCH' } };
      case 'conversations.history':
        return { messages: [] };
      default:
        return { channel, ts: form.get('ts') ?? '0.0' };
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

let presses = 0;

/** A press of somebody on a message's button, as Slack sends it over HTTP, signed. */
export function press(
  user: string,
  message: Posted,
  button: { readonly action_id?: string; readonly value?: string },
): RequestInit {
  presses += 1;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const payload = {
    type: 'block_actions',
    api_app_id: appId,
    team: { id: team, domain: 'bench' },
    enterprise: null,
    is_enterprise_install: false,
    user: { id: user, username: 'rosa', name: 'rosa', team_id: team },
    channel: { id: channel, name: 'approvals' },
    container: { type: 'message', message_ts: message.ts, channel_id: channel, is_ephemeral: false },
    message: { type: 'message', ts: message.ts, text: message.text, bot_id: 'B0BOT', user: 'U0BOT', team },
    trigger_id: `${presses}.1.bench`,
    response_url: 'http://127.0.0.1:9/none',
    actions: [{ type: 'button', block_id: 'actions', ...button, action_ts: `${nowSeconds}.${presses}` }],
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const signature = createHmac('sha256', signingSecret).update(`v0:${nowSeconds}:${body}`).digest('hex');
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(nowSeconds),
      'x-slack-signature': `v0=${signature}`,
    },
    body,
  };
}
