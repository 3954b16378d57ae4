/**
 * Slack's own libraries, and nothing of the gate's: calls of the Web API, payloads through Bolt, and Socket Mode. Promises: no
 * token, body or header is logged (the libraries get a logger that drops everything); nothing is repeated by itself; a call
 * takes a bounded time; Bolt never holds the bot's token.
 */
import { App, AuthorizationError, LogLevel, SocketModeReceiver, webApi, type Logger } from '@slack/bolt';
import type { JsonObject } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { ofCode, ofRate, ofStatus, socketMethod, unreachable, type SlackFailure } from './failure.ts';

/** Calls of the Web API. Never rejects. */
export interface SlackWeb {
  call(method: string, args: Readonly<Record<string, unknown>>): Promise<Result<JsonObject, SlackFailure>>;
}

/** Calls under way at once; the others wait for them. */
const callsMax = 10;

/** The libraries write bodies and headers at some levels, and what Slack answered at others. */
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  // So that they do not even put together what they would say below it.
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};

const clientOptions = (apiUrl: string, timeoutMs: number): webApi.WebClientOptions => ({
  slackApiUrl: apiUrl,
  allowAbsoluteUrls: false,
  logger: silent,
  timeout: timeoutMs,
  maxRequestConcurrency: callsMax,
  // Whoever delivers repeats, with what it then says: a repeat from in here could post what is no longer true.
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
});

/** @param timeoutMs of one call, with its answer */
export function createWeb(token: string, apiUrl: string, timeoutMs: number): SlackWeb {
  const client = new webApi.WebClient(token, clientOptions(apiUrl, timeoutMs));
  return {
    async call(method, args) {
      try {
        // It came as JSON.
        return ok((await client.apiCall(method, { ...args })) as unknown as JsonObject);
      } catch (error) {
        return err(failureOf(method, error));
      }
    },
  };
}

function failureOf(method: string, error: unknown): SlackFailure {
  if (error instanceof webApi.WebAPIPlatformError) return ofCode(method, error.data.error);
  if (error instanceof webApi.WebAPIRateLimitedError) return ofRate(method, error.retryAfter);
  if (error instanceof webApi.WebAPIHTTPError) return ofStatus(error.statusCode);
  if (error instanceof webApi.WebAPIRequestError) return unreachable(reasonOf(error.original));
  return unreachable('its answer is not understood');
}

/** `fetch` hides the reason in `cause`. Neither holds a header. */
function reasonOf(error: Error): string {
  if (error.name === 'TimeoutError') return 'it did not answer in time';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Answers Slack. In a form's answer, what is to happen in its view. */
export type Ack = (response?: JsonObject) => Promise<void>;

export interface BoltSettings {
  /** Null for HTTP. */
  readonly appToken: string | null;
  readonly apiUrl: string;
  readonly timeoutMs: number;
  /** Null where a payload may be processed; else why not. */
  readonly admit: (body: JsonObject) => string | null;
  /** Called for each payload that was admitted. Where it rejects before `ack` was called, Slack is not answered. */
  readonly hear: (body: JsonObject, ack: Ack) => Promise<void>;
}

/** One connection of Socket Mode. */
export interface Connection {
  /** Resolves when it is over, for whatever reason. */
  readonly closed: Promise<void>;
}

export interface Bolt {
  /** A payload whose signature was verified. Answers `foreign` where it was not admitted; rejects where it was not heard. */
  process(body: JsonObject, ack: Ack): Promise<'heard' | 'foreign'>;
  /** Opens a connection of Socket Mode, once. It is not opened again by itself. */
  connect(): Promise<Result<Connection, SlackFailure>>;
  disconnect(): Promise<void>;
}

export function createBolt(settings: BoltSettings): Bolt {
  const receiver = settings.appToken === null ? null : socketOf(settings, settings.appToken);
  const app = new App({
    receiver: receiver ?? {
      init: () => undefined,
      start: async () => undefined,
      stop: async () => undefined,
    },
    logger: silent,
    clientOptions: clientOptions(settings.apiUrl, settings.timeoutMs),
    // Without a token: whatever Bolt would do by itself, it cannot.
    authorize: async (_source, body) => {
      const why = settings.admit(asJson(body));
      if (why !== null) throw new Error(why);
      return {};
    },
    tokenVerificationEnabled: false,
    attachFunctionToken: false,
    convoStore: false,
    ignoreSelf: false,
  });
  // The default one writes it down first.
  app.error(async (error) => {
    throw error;
  });
  listen(app, settings.hear);
  return {
    async process(body, ack) {
      try {
        await app.processEvent({ body, ack: async (response) => ack(asJsonOrNone(response)) });
        return 'heard';
      } catch (error) {
        if (error instanceof AuthorizationError) return 'foreign';
        throw error;
      }
    },
    connect: async () => (receiver === null ? err(unreachable('it is HTTP')) : open(receiver)),
    disconnect: async () => receiver?.stop(),
  };
}

function listen(app: App, hear: BoltSettings['hear']): void {
  app.action(/./, async ({ body, ack }) => hear(asJson(body), async (response) => ack(response as never)));
  app.view(/./, async ({ body, ack }) => hear(asJson(body), async (response) => ack(response as never)));
  // Bolt has answered these before it calls anybody.
  for (const event of ['app_home_opened', 'message'])
    app.event(event, async ({ body }) => hear(asJson(body), async () => undefined));
}

/** Bodies were parsed from JSON, in here or by Bolt. */
const asJson = (body: unknown): JsonObject => body as JsonObject;
/** What is answered was given by `hear`, through Bolt. */
const asJsonOrNone = (response: unknown): JsonObject | undefined =>
  typeof response === 'object' && response !== null ? (response as JsonObject) : undefined;

const socketOf = ({ apiUrl, timeoutMs }: BoltSettings, appToken: string): SocketModeReceiver =>
  new SocketModeReceiver({
    appToken,
    logger: silent,
    // Its own reconnecting waits five seconds after every refresh, gives up where the network fails, and rejects unheard.
    autoReconnectEnabled: false,
    installerOptions: { clientOptions: clientOptions(apiUrl, timeoutMs) },
    // What was not heard is not acknowledged: Slack then shows the person that nothing was done.
    processEventErrorHandler: async () => false,
  });

async function open(receiver: SocketModeReceiver): Promise<Result<Connection, SlackFailure>> {
  try {
    await receiver.start();
  } catch (error) {
    return err(error === undefined ? unreachable('Socket Mode was closed') : failureOf(socketMethod, error));
  }
  const closed = new Promise<void>((resolve) => {
    receiver.client.once('disconnected', () => resolve());
  });
  return ok({ closed });
}
