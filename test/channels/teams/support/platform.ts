/**
 * What Teams is to a bot, on loopback: the Bot Connector's REST API, the sign-in that gives the bot its tokens, and the keys of
 * what the connector signs. It copies what Microsoft documents (Bot Connector API reference; "Send proactive messages", "Get
 * Teams specific context", "Update and delete messages", "Rate limiting"), and no more:
 *
 * - every call needs a token that the sign-in has given for this client and is not older than it says; else 401;
 * - a message gets an id of its conversation: a number in channels and chats of several, `f:…` never; unknown conversation: 404;
 * - a message of more than 28 KB is refused with 413; a card that is no Adaptive Card 1.5 with 400;
 * - a message is changed by PUT; one that is not there: 404;
 * - a member is asked for by what Teams calls them or by their id in the directory; whoever is not in the conversation: 404;
 * - a chat with one person is opened by POST, and is the same one every time; somebody who has not the app: 403;
 * - 429 comes with Retry-After; 412, 502 and 504 are worth another try.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import type { TeamsSettings } from '../../../../src/ports/channel-settings.ts';
import { cardProblems } from '../card-check.ts';

export const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';
export const otherTenant = '11111111-2222-4333-8444-555555555555';
export const clientId = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
const clientSecret = 'the-bots-own-secret';
/** Two channels of a team, and a chat of several. */
export const channel = '19:data-approvals@thread.tacv2';
export const securityChannel = '19:security@thread.tacv2';
export const groupChat = '19:meeting_abc@thread.v2';

// What a test reads of JSON is checked by what it asserts.
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;

export interface Message {
  readonly conversation: string;
  readonly id: string;
  /** The message that it is under; null for none. */
  readonly thread: string | null;
  /** As it is now. */
  activity: Loose;
  /** How often it was changed. */
  edits: number;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
}

export interface Person {
  readonly name: string;
  readonly aadObjectId: string;
  /** What Teams calls them. */
  readonly mri: string;
  /** What the connector says of them as a member. */
  member: Loose;
}

export interface Platform {
  readonly settings: TeamsSettings;
  /** Of the connector, with its path: `serviceUrl` of what it sends. */
  readonly serviceUrl: string;
  readonly messages: readonly Message[];
  /** Everything that arrived at the connector. */
  readonly requests: readonly Request[];
  /** Tokens that the sign-in gave. */
  tokens(): number;
  fetchesOfKeys(): number;
  person(name: string): Person;
  /** A token as the connector makes it, but for what is said. */
  token(more?: Signing): Promise<string>;
  /** Answers the next calls of the connector with this, until `mend`. */
  fail(failure: { readonly status: number; readonly retryAfter?: string; readonly code?: string }): void;
  /** Nothing answers any more, until `mend`. */
  breakDown(): Promise<void>;
  mend(): Promise<void>;
  /** The bot's credentials are not accepted from now on. */
  revoke(): void;
  stop(): Promise<void>;
}

export interface Signing {
  readonly claims?: JWTPayload;
  readonly without?: readonly string[];
  readonly header?: Readonly<Record<string, unknown>>;
  /** `other`: a key that is not in the set, under the id of one that is; `webchat`: one that is for another channel. */
  readonly key?: 'other' | 'webchat';
}

const names = ['rosa', 'sam', 'mia', 'lee', 'ada', 'gus'] as const;

export async function startPlatform(): Promise<Platform> {
  const keys = {
    good: await generateKeyPair('RS256', { extractable: true }),
    other: await generateKeyPair('RS256', { extractable: true }),
    webchat: await generateKeyPair('RS256', { extractable: true }),
  };
  const jwks = {
    keys: [
      { ...(await exportJWK(keys.good.publicKey)), kid: 'good', use: 'sig', endorsements: ['msteams'] },
      { ...(await exportJWK(keys.webchat.publicKey)), kid: 'webchat', use: 'sig', endorsements: ['webchat'] },
    ],
  };
  const people = new Map(names.map((name, index) => [name as string, personOf(name, index)]));
  const messages: Message[] = [];
  const requests: Request[] = [];
  const conversations = new Set([channel, securityChannel, groupChat]);
  const given = new Set<string>();
  let keysFetched = 0;
  let revoked = false;
  let failure: Parameters<Platform['fail']>[0] | null = null;
  let next = 1_700_000_000_000;

  const login = await listening(async (request) => {
    const text = await textOf(request);
    if (request.url?.endsWith('/keys') === true) {
      keysFetched += 1;
      return { status: 200, body: jwks };
    }
    const form = new URLSearchParams(text);
    const right =
      request.url === `/${tenant}/oauth2/v2.0/token` &&
      form.get('client_id') === clientId &&
      form.get('client_secret') === clientSecret &&
      form.get('scope') === 'https://api.botframework.com/.default';
    if (!right || revoked)
      return { status: 401, body: { error: 'invalid_client', error_description: 'AADSTS7000222' } };
    const token = `bot-token-${randomUUID()}`;
    given.add(token);
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, access_token: token } };
  });

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const text = await textOf(request);
    const authorization = request.headers.authorization ?? null;
    requests.push({ method: request.method ?? '', path: request.url ?? '', authorization });
    if (failure !== null)
      return {
        status: failure.status,
        body: { error: { code: failure.code ?? 'ServiceError', message: 'as the test says' } },
        ...(failure.retryAfter === undefined ? {} : { headers: { 'retry-after': failure.retryAfter } }),
      };
    if (!given.has((authorization ?? '').replace(/^Bearer /, ''))) return problem(401, 'BotNotAuthorized');
    const parts = (request.url ?? '').split('/').slice(1).map(decodeURIComponent);
    const [teams, v3, root, conversation, kind, id] = parts;
    if (teams !== 'teams' || v3 !== 'v3' || root !== 'conversations') return problem(404, 'NotFound');
    const body: Loose = text === '' ? null : JSON.parse(text);
    if (conversation === undefined) return open(body);
    const [place = '', thread = null] = conversation.split(';messageid=');
    if (!conversations.has(place)) return problem(404, 'ConversationNotFound');
    if (kind === 'members') return memberOf(place, id ?? '');
    if (Buffer.byteLength(text) > 28 * 1024) return problem(413, 'RequestEntityTooLarge');
    const wrong = (body.attachments as readonly Loose[]).flatMap((one) => cardProblems(one.content));
    if (body.type !== 'message' || wrong.length > 0) return problem(400, 'BadSyntax');
    if (request.method === 'PUT') {
      const message = messages.find((one) => one.conversation === place && one.id === id);
      if (message === undefined) return problem(404, 'ActivityNotFoundInConversation');
      message.activity = body;
      message.edits += 1;
      return { status: 200, body: { id } };
    }
    next += 1;
    messages.push({ conversation: place, id: String(next), thread, activity: body, edits: 0 });
    return { status: 201, body: { id: String(next) } };
  };
  const open = (body: Loose): Answer => {
    const person = [...people.values()].find((one) => one.aadObjectId === body.members[0].id);
    if (person === undefined || body.channelData.tenant.id !== tenant || body.bot.id !== `28:${clientId}`)
      return problem(403, 'ForbiddenOperationException');
    conversations.add(`a:${person.name}`);
    return { status: 201, body: { id: `a:${person.name}` } };
  };
  const memberOf = (place: string, id: string): Answer => {
    const person = [...people.values()].find((one) => one.aadObjectId === id || one.mri === id);
    const isThere = !place.startsWith('a:') || place === `a:${person?.name}`;
    return person === undefined || person.member === null || !isThere
      ? problem(404, 'MemberNotFoundInConversation')
      : { status: 200, body: person.member };
  };

  let connector = await listening(answer);
  const port = portOf(connector);
  const origin = `http://127.0.0.1:${port}`;
  const loginUrl = `http://127.0.0.1:${portOf(login)}`;
  const settings: TeamsSettings = {
    tenant,
    clientId,
    clientSecret,
    cloud: {
      issuer: 'https://api.botframework.com',
      jwksUrl: `${loginUrl}/v1/.well-known/keys`,
      serviceOrigins: [origin],
      serviceUrl: `${origin}/teams`,
      loginUrl,
    },
  };
  return {
    settings,
    serviceUrl: `${origin}/teams/`,
    messages,
    requests,
    tokens: () => given.size,
    fetchesOfKeys: () => keysFetched,
    person: (name) => {
      const found = people.get(name);
      if (found === undefined) throw new TypeError(`nobody is called ${name}`);
      return found;
    },
    async token({ claims = {}, without = [], header = {}, key } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all: JWTPayload = {
        iss: 'https://api.botframework.com',
        aud: clientId,
        nbf: now - 10,
        exp: now + 3600,
        serviceurl: settings.cloud.serviceUrl,
        ...claims,
      };
      const kept = Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name)));
      const kid = key === 'webchat' ? 'webchat' : 'good';
      return new SignJWT(kept)
        .setProtectedHeader({ alg: 'RS256', kid, ...header })
        .sign(keys[key ?? 'good'].privateKey);
    },
    fail: (how) => {
      failure = how;
    },
    async breakDown() {
      await closed(connector);
    },
    async mend() {
      failure = null;
      if (!connector.listening) connector = await listening(answer, port);
    },
    revoke: () => {
      revoked = true;
    },
    async stop() {
      await Promise.all([closed(connector), closed(login)]);
    },
  };
}

function personOf(name: string, index: number): Person {
  const aadObjectId = `aaaaaaaa-0000-4000-8000-${String(index + 1).padStart(12, '0')}`;
  const mri = `29:1${name}-_x`;
  const member = {
    id: mri,
    name: `${name} of Contoso`,
    aadObjectId,
    objectId: aadObjectId,
    userPrincipalName: `${name}@contoso.test`,
    tenantId: tenant,
    userRole: 'user',
  };
  // A guest as Teams has been seen to describe one: `user`, with the sign-in name of a guest.
  const guest = { ...member, userPrincipalName: `${name}_fabrikam.test#EXT#@contoso.onmicrosoft.com` };
  return { name, aadObjectId, mri, member: name === 'gus' ? guest : member };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const problem = (status: number, code: string): Answer => ({
  status,
  body: { error: { code, message: 'no' } },
});

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return Buffer.concat(parts).toString('utf8');
}

/** @param port 0: any that is free */
export async function listening(
  answer: (request: IncomingMessage) => Promise<Answer>,
  port = 0,
): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request)
      .catch((): Answer => problem(500, 'TestFailed'))
      .then(({ status, body, headers }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(JSON.stringify(body));
      });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;

export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
