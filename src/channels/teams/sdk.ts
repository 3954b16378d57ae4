/**
 * Microsoft's SDK for Teams (teams.apps), shut in on both sides. What comes in has passed our own door (token.ts) before the SDK
 * sees it; what goes out leaves through our connector (connector.ts), which has the token and looks at the address.
 *
 * Promises: the SDK holds no secret and no token of the bot; it opens no port, reads none of its settings out of the environment,
 * and repeats no call by itself.
 */
import type { InvokeResponse } from '@microsoft/teams.api';
import { App } from '@microsoft/teams.apps';
import type { JsonObject } from '../../core/json.ts';
import type { TeamsSettings } from '../../ports/channel-settings.ts';
import type { Connector } from './connector.ts';

type Options = NonNullable<ConstructorParameters<typeof App>[0]>;
type HttpOptions = Exclude<NonNullable<Options['client']>, (() => unknown) | { readonly request: unknown }>;
type Interceptor = NonNullable<HttpOptions['interceptors']>[number];
type RequestConfig = Parameters<NonNullable<Interceptor['request']>>[0]['config'];
type Transport = Extract<NonNullable<RequestConfig['adapter']>, (config: never) => unknown>;
type Logger = NonNullable<Options['logger']>;
type Adapter = NonNullable<Options['httpServerAdapter']>;
type RouteHandler = Parameters<Adapter['registerRoute']>[2];

/** What Teams takes as the answer to a press (Universal Action Model, "Response format"). */
export type PressAnswer =
  | {
      readonly statusCode: 200;
      readonly type: 'application/vnd.microsoft.activity.message';
      readonly value: string;
    }
  | {
      readonly statusCode: 400 | 500;
      readonly type: 'application/vnd.microsoft.error';
      readonly value: { readonly code: string; readonly message: string };
    };

/** The same in the SDK's types. */
type SdkAnswer = NonNullable<InvokeResponse<'adaptiveCard/action'>['body']>;

/** What is done with an activity. */
export interface Hear {
  pressed(activity: JsonObject): Promise<PressAnswer>;
  told(activity: JsonObject): Promise<void>;
}

export interface Sdk {
  readonly api: App['api'];
  /** Hands an activity that has passed the door to the handler, by way of the SDK; the status and body to answer with. */
  receive(activity: JsonObject): Promise<{ readonly status: number; readonly body: unknown }>;
}

/**
 * What the SDK is given for a token: a JWT (RFC 7519 §6) that says nothing, of no use to anybody. The connector drops it.
 */
export const nobodysToken = 'eyJhbGciOiJub25lIn0.e30.';

export async function createSdk(
  settings: TeamsSettings,
  connector: Connector,
  hear: Hear,
  say: (line: string) => void,
): Promise<Sdk> {
  const { clientId, tenant, cloud } = settings;
  let handler: RouteHandler | undefined;
  const transport = transportOf(connector);
  const app = new App({
    clientId,
    tenantId: tenant,
    token: () => nobodysToken,
    // Given at all, and empty: the SDK would take it from the environment (CLIENT_SECRET) before the token above.
    clientSecret: '',
    serviceUrl: cloud.serviceUrl,
    cloud: {
      loginEndpoint: cloud.loginUrl,
      loginTenant: tenant,
      botScope: `${cloud.issuer}/.default`,
      tokenIssuer: cloud.issuer,
      openIdMetadataUrl: cloud.jwksUrl,
      // Of parts that the gate does not use; nothing can be sent there.
      tokenServiceUrl: cloud.issuer,
      graphScope: `${cloud.issuer}/.default`,
      agenticIdentityBotScope: `${cloud.issuer}/.default`,
    },
    dangerouslyAllowUnauthenticatedRequests: false,
    telemetry: { agent365: false },
    logger: loggerOf(say),
    client: { interceptors: [{ request: ({ config }) => Object.assign(config, { adapter: transport }) }] },
    messagingEndpoint: '/messages',
    httpServerAdapter: {
      registerRoute: (_method, path, route) => {
        if (path === '/messages') handler = route;
      },
    },
  });
  // `activity` is the body as we read it; the SDK adds nothing but types.
  app.on('card.action', async ({ activity }): Promise<SdkAnswer> => {
    // The SDK's type asks errors for `innerHttpError`, which Teams does not.
    return (await hear.pressed(activity as unknown as JsonObject)) as SdkAnswer;
  });
  app.on('message', ({ activity }) => hear.told(activity as unknown as JsonObject));
  app.on('install.add', ({ activity }) => hear.told(activity as unknown as JsonObject));
  await app.initialize();
  return {
    api: app.api,
    receive: async (activity) => {
      if (handler === undefined) throw new TypeError('teams.apps registered no route for activities');
      // The way for whatever has checked who speaks before the SDK: it then asks for no token of its own.
      const token = {
        appId: clientId,
        from: 'azure' as const,
        fromId: '',
        serviceUrl: cloud.serviceUrl,
        isExpired: () => false,
      };
      const { status, body } = await handler({ body: activity, headers: {}, token });
      return { status, body };
    },
  };
}

/** In the place of axios' own way to the network; every client that the SDK makes of the one above has it. */
const transportOf =
  (connector: Connector): Transport =>
  async (config) => {
    const { method = 'get', url = '', baseURL, data, params }: Fields = config;
    const verb = methods.find((one) => one === String(method).toUpperCase());
    if (verb === undefined || typeof url !== 'string' || baseURL !== undefined || params !== undefined)
      throw new TypeError('a call of the SDK that the gate never asks for');
    const answer = await connector.call({
      method: verb,
      url,
      ...(typeof data === 'string' ? { body: data } : {}),
    });
    return { data: answer.body, status: answer.status, statusText: '', headers: {}, config };
  };

/** Of a request, without what axios says of their types. */
type Fields = { readonly [field in 'method' | 'url' | 'baseURL' | 'data' | 'params']?: unknown };

const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const;

/** The SDK logs whole activities: what people wrote. Of its errors an operator is told that there are some. */
function loggerOf(say: (line: string) => void): Logger {
  const nothing = (): void => undefined;
  const failed = (): void => say('the SDK reports an error in handling an activity.');
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    trace: nothing,
    error: failed,
    log: (level) => (level === 'error' ? failed() : undefined),
    child: () => logger,
  };
  return logger;
}
