/**
 * A Slack workspace for tests: Vercel's emulator of the Web API, and in front of it a proxy of our own for what the emulator
 * cannot say: guests, organisations (`users.info`), limits (429), an outage, and Socket Mode (`apps.connections.open` and a
 * WebSocket server of some sixty lines). Everything on loopback, at free ports.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEmulator } from 'emulate';
import type { SlackSettings } from '../../../../src/ports/channel-settings.ts';
import { createSocketServer, type SocketServer } from './socket-server.ts';

export const appId = 'A0GATE';
/** The emulator's own. */
export const team = 'T000000001';
export const signingSecret = 'test-signing-secret';
const botToken = 'xoxb-test-bot-token';
const appToken = 'xapp-test-app-token';
const botUser = 'U0GATEBOT';
const bot = 'B0GATE';

// What tests read of an answer is checked by what they assert.
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;

export interface Call {
  readonly method: string;
  readonly args: Loose;
  readonly answer: Loose;
}

/** Instead of the emulator's answer; undefined: its own. */
export type Instead = (
  method: string,
  args: Loose,
) =>
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | undefined;

export interface Workspace {
  readonly settings: (mode: 'http' | 'socket', team?: string) => SlackSettings;
  /** Of a person, by the name that the workspace was made with. */
  readonly user: (name: string) => string;
  /** Of a channel, by its name. */
  readonly channel: (name: string) => string;
  /** What was called until now, oldest first, with what was answered. */
  readonly calls: (method?: string) => readonly Call[];
  /** What stands in a channel or direct message now, newest first, without replies. */
  readonly messages: (channel: string) => Promise<readonly Loose[]>;
  readonly replies: (channel: string, ts: string) => Promise<readonly Loose[]>;
  /** Calls the Web API as the app. */
  readonly call: (method: string, args?: Record<string, string>) => Promise<Loose>;
  /** Changes what `users.info` says of somebody. */
  readonly describe: (user: string, as: Record<string, unknown>) => void;
  /** Answers instead of the emulator from now on; null: no more. */
  readonly instead: (answer: Instead | null) => void;
  /** From now on nothing is answered: connections are cut. */
  readonly breakDown: () => void;
  readonly mend: () => void;
  readonly sockets: SocketServer;
  readonly stop: () => Promise<void>;
}

export async function startWorkspace(
  names: readonly string[] = ['sam', 'rosa', 'mia', 'lee', 'ada'],
  channels: readonly string[] = ['data-approvals', 'security'],
): Promise<Workspace> {
  const emulator = await createEmulator({
    service: 'slack',
    port: 0,
    seed: { slack: seedOf(names, channels) },
  });
  const state = createState(emulator.url.replace('localhost', '127.0.0.1'));
  const sockets = createSocketServer();
  const server = createServer((request, response) => {
    if (state.down) return void request.socket.destroy();
    void answer(state, sockets, request, response).catch(() => response.destroy());
  });
  server.on('upgrade', (request, socket) =>
    state.down ? socket.destroy() : sockets.accept(request, socket),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens has an address and a port.
  const origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  sockets.at(`ws://${origin}/link`);
  const asApp = async (method: string, args: Record<string, string> = {}): Promise<Loose> =>
    JSON.parse((await forward(state.emulator, method, new URLSearchParams(args).toString())).text);
  const users = await asApp('users.list', { limit: '1000' });
  const rooms = await asApp('conversations.list', { limit: '1000', types: 'public_channel,private_channel' });
  const named = (list: Loose, name: string): string => {
    const found = list.find((one: Loose) => one.name === name);
    assert.ok(found !== undefined, `the workspace has no ${name}`);
    return found.id;
  };
  return {
    settings: (mode, of = team) => ({
      appId,
      team: of,
      botToken,
      mode: mode === 'http' ? { kind: 'http', signingSecret } : { kind: 'socket', appToken },
      apiUrl: `http://${origin}/api/`,
    }),
    user: (name) => named(users.members, name),
    channel: (name) => named(rooms.channels, name),
    calls: (method) => state.calls.filter((one) => method === undefined || one.method === method),
    messages: async (channel) => (await asApp('conversations.history', { channel, limit: '1000' })).messages,
    replies: async (channel, ts) =>
      (await asApp('conversations.replies', { channel, ts })).messages.filter((one: Loose) => one.ts !== ts),
    call: asApp,
    describe: (user, as) => state.described.set(user, as),
    instead: (one) => {
      state.instead = one;
    },
    breakDown: () => {
      state.down = true;
      sockets.cut();
      server.closeAllConnections();
    },
    mend: () => {
      state.down = false;
    },
    sockets,
    async stop() {
      sockets.cut();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await emulator.close();
    },
  };
}

const seedOf = (names: readonly string[], channels: readonly string[]): object => ({
  team: { name: 'Acme', domain: 'acme' },
  users: names.map((name) => ({ name, real_name: name })),
  channels: channels.map((name) => ({ name })),
  oauth_apps: [
    {
      app_id: appId,
      client_id: '1.2',
      client_secret: 'none',
      name: 'Countersign',
      redirect_uris: [],
      scopes: [],
      bot_id: bot,
      bot_user_id: botUser,
      bot_name: 'countersign',
    },
  ],
  tokens: [{ token: botToken, user: botUser, app_id: appId, bot_id: bot, bot_user_id: botUser }],
});

interface State {
  readonly emulator: string;
  readonly calls: Call[];
  readonly described: Map<string, Record<string, unknown>>;
  instead: Instead | null;
  down: boolean;
}

const createState = (emulator: string): State => ({
  emulator,
  calls: [],
  described: new Map(),
  instead: null,
  down: false,
});

const forward = async (
  emulator: string,
  method: string,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> => {
  const response = await fetch(`${emulator}/api/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${botToken}`, 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  return { status: response.status, text: await response.text() };
};

async function answer(
  state: State,
  sockets: SocketServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // a request gives bytes
  const body = Buffer.concat(chunks).toString();
  const method = (request.url ?? '').replace(/^\/api\//, '');
  const args = argsOf(body);
  const { authorization } = request.headers;
  const other = state.instead?.(method, args);
  const [status, text] =
    other !== undefined
      ? [other.status ?? 200, JSON.stringify(other.body ?? { ok: false, error: 'internal_error' })]
      : method === 'apps.connections.open'
        ? [200, JSON.stringify(authorization === `Bearer ${appToken}` ? sockets.open() : notAuthed)]
        : authorization === `Bearer ${botToken}`
          ? await emulated(state, method, args, body)
          : [200, JSON.stringify(notAuthed)];
  state.calls.push({ method, args, answer: JSON.parse(text) });
  response.writeHead(status, { 'content-type': 'application/json', ...other?.headers }).end(text);
}

const notAuthed = { ok: false, error: 'invalid_auth' };

async function emulated(
  state: State,
  method: string,
  args: Loose,
  body: string,
): Promise<readonly [number, string]> {
  const { status, text } = await forward(state.emulator, method, body);
  if (method !== 'users.info') return [status, text];
  const said = JSON.parse(text);
  // The real ones say of every member whether they are a guest.
  const member = { is_restricted: false, is_ultra_restricted: false, is_app_user: false };
  if (said.ok === true) said.user = { ...member, ...said.user, ...state.described.get(args.user) };
  return [status, JSON.stringify(said)];
}

/** A form whose values may be JSON, as Slack's client sends it. */
function argsOf(body: string): Loose {
  return Object.fromEntries(
    [...new URLSearchParams(body)].map(([key, value]) => {
      try {
        return [key, /^[[{]/.test(value) ? JSON.parse(value) : value];
      } catch {
        return [key, value];
      }
    }),
  );
}
