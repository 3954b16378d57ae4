/**
 * The configuration: one YAML file in, validated settings out. There is one way in (`parseSettings`): schema, then
 * cross-checks, then secrets; all problems at once, each with its place in the file. Relative paths start at the file.
 */
import { dirname, resolve } from 'node:path';
import { observedOf, observedText } from './app/observed.ts';
import type { Limits } from './app/parts.ts';
import type { CallbackSettings } from './channels/callback.ts';
import { err, ok, type Result } from './core/result.ts';
import type { ChannelSettings } from './ports/channel-settings.ts';
import type { LogSettings } from './ports/log-settings.ts';
import type { Proposal } from './ports/settings.ts';
import type { TelemetrySettings } from './ports/telemetry-settings.ts';
import type { Issuer, PeopleSettings, SignInSettings } from './ports/sign-in.ts';
import { callbackProblems, callbacksOf, callbackWarnings } from './config/callbacks.ts';
import { channelProblems, channelsOf, channelWarnings } from './config/channels.ts';
import { storeOf, storeProblems, type StoreSettings } from './config/database.ts';
import { configBytesMax, readDocument, type ConfigDocument, type Problem } from './config/document.ts';
import { directoryOf, peopleProblems, peopleWarnings } from './config/people.ts';
import { issuerProblems, issuersOf } from './config/issuers.ts';
import { limitProblems, limitsOf, limitWarnings } from './config/limits.ts';
import { logOf, logProblems } from './config/log.ts';
import { peopleSettingsOf, peopleSettingsProblems, peopleSettingsWarnings } from './config/providers.ts';
import { schemaProblems } from './config/problems.ts';
import { readRegularFile } from './config/read-file.ts';
import { codeOf, Secrets, type SecretsMode } from './config/secrets.ts';
import { operationsOf, serverProblems, serversOf, urlProblems } from './config/servers.ts';
import { shutdownOf, shutdownProblems, type ShutdownSettings } from './config/shutdown.ts';
import { loggingOf, telemetryProblems, tracesOf } from './config/telemetry.ts';
import { stampOf } from './config/watch.ts';
import type { Written } from './config/written.ts';

/** A validated configuration. Holds secrets; never log one. */
export interface Settings {
  /** The configuration file, absolute. */
  readonly file: string;
  /** The state of that file just before it was read (config/watch.ts); null where it was not read from a file. */
  readonly stamp: string | null;
  readonly listen: { readonly host: string; readonly port: number };
  /** The public origin as configured, without a slash at its end; null: made from the port. */
  readonly url: string | null;
  readonly store: StoreSettings;
  /** Folder of the policies, absolute. */
  readonly policies: string;
  /** IANA name: the hours and days of policies and reports. */
  readonly timezone: string;
  /** What is proposed to the store, and replaced while the gate runs. */
  readonly proposal: Proposal;
  /** How people are asked and told; its routing is replaced while the gate runs (config/propose.ts). */
  readonly channels: ChannelSettings;
  /** Whose workload tokens are taken. */
  readonly issuers: readonly Issuer[];
  /** Null: agents cannot have themselves called back. */
  readonly callbacks: CallbackSettings | null;
  readonly limits: Limits;
  /** How long it takes to stop. */
  readonly shutdown: ShutdownSettings;
  /** How the log is signed, witnessed, kept and shipped. */
  readonly log: LogSettings;
  /** What other systems are told of how the gate does. */
  readonly telemetry: TelemetrySettings;
  /** How people sign in. */
  readonly people: PeopleSettings;
  /** Every text that is a secret, to be taken out of whatever is written. */
  readonly secrets: readonly string[];
  /** What start-up must print: allowed, but dangerous or probably not meant. */
  readonly warnings: readonly string[];
}

/** How a configuration is read. */
export interface ReadOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly secrets?: SecretsMode;
  /** What problems call the file; default: as it was given. */
  readonly label?: string;
}

/** Reads and validates a file. */
export async function readSettings(
  file: string,
  options: ReadOptions = {},
): Promise<Result<Settings, readonly Problem[]>> {
  const whole = (message: string): Result<never, readonly Problem[]> =>
    err([{ file: options.label ?? file, line: 1, column: 1, message }]);
  try {
    const stamp = await stampOf(file);
    const bytes = await readRegularFile(file, configBytesMax);
    const read = parseSettings(new TextDecoder('utf-8', { fatal: true }).decode(bytes), file, options);
    return read.ok ? ok({ ...read.value, stamp }) : read;
  } catch (error) {
    return whole(
      error instanceof TypeError
        ? 'The file is not UTF-8 text.'
        : codeOf(error) === 'too large'
          ? `The file is larger than ${configBytesMax} bytes.`
          : `The file cannot be read (${codeOf(error)}).`,
    );
  }
}

/** Validates a text as if it were in `file`. */
export function parseSettings(
  text: string,
  file: string,
  options: ReadOptions = {},
): Result<Settings, readonly Problem[]> {
  const document = readDocument(text, options.label ?? file);
  if (!document.ok) return document;
  const wrong = schemaProblems(document.value);
  if (wrong.length > 0) return err(wrong);
  // The schema admits nothing else (config/schema.ts).
  const written = document.value.value as unknown as Written;
  const folder = dirname(resolve(file));
  const secrets = new Secrets(document.value, {
    env: options.env ?? process.env,
    folder,
    mode: options.secrets ?? 'required',
  });
  const store = storeOf(written, secrets, folder);
  const channels = channelsOf(written, secrets);
  const signIn = signInOf(written, secrets);
  const { issuers, people } = signIn;
  const timezone = written.timezone ?? 'UTC';
  const proposal: Proposal = {
    directory: directoryOf(written),
    servers: serversOf(written, secrets, folder),
    operations: operationsOf(written),
    signIn,
    timezone,
  };
  const limits = limitsOf(written);
  const telemetry = { traces: tracesOf(written, secrets), logging: loggingOf(written) };
  const listen = listenOf(written.listen ?? '127.0.0.1:7788');
  const settings: Settings = {
    file: resolve(file),
    stamp: null,
    listen,
    url: written.url === undefined ? null : written.url.replace(/\/$/, ''),
    store,
    policies: resolve(folder, written.policies ?? 'policies'),
    timezone,
    proposal,
    channels,
    issuers,
    callbacks: callbacksOf(written, secrets),
    limits,
    shutdown: shutdownOf(written),
    log: logOf(written, secrets, folder),
    telemetry,
    people,
    // After all that reads one.
    secrets: secrets.found,
    warnings: warningsOf(written, { listen, proposal, limits }),
  };
  const problems = [...problemsOf(written, settings, document.value), ...secrets.problems];
  return problems.length > 0 ? err(problems) : ok(settings);
}

const warningsOf = (
  written: Written,
  { listen, proposal, limits }: Pick<Settings, 'listen' | 'proposal' | 'limits'>,
): readonly string[] => [
  ...reachable(listen, written.url),
  ...peopleWarnings(written),
  ...peopleSettingsWarnings(written),
  ...channelWarnings(written),
  ...callbackWarnings(written),
  ...virtualWarnings(written),
  ...observing(proposal),
  ...limitWarnings(limits),
];

const problemsOf = (written: Written, settings: Settings, document: ConfigDocument): readonly Problem[] => [
  ...peopleProblems(written, document),
  ...peopleSettingsProblems(written, document),
  ...serverProblems(written, document),
  ...issuerProblems(written, settings.issuers, document),
  ...otherProblems(written, settings, document),
  ...channelProblems(written, settings.channels, document),
  ...callbackProblems(settings.callbacks, document),
  ...logProblems(written, settings.log, document),
  ...telemetryProblems(written, settings.telemetry.traces, document),
];

const signInOf = (written: Written, secrets: Secrets): SignInSettings => ({
  people: peopleSettingsOf(written, secrets),
  issuers: issuersOf(written, secrets),
  allowVirtualAuthenticator: written.passkeys?.allowVirtualAuthenticator === true,
});

/** The schema has made sure of the form. */
function listenOf(listen: string): Settings['listen'] {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}

/** What depends on more than one value, or on a value's meaning. */
function otherProblems(written: Written, settings: Settings, document: ConfigDocument): readonly Problem[] {
  const problems: Problem[] = [];
  const { url } = written;
  if (settings.listen.port > 65_535)
    problems.push(document.problem(['listen'], 'listen: a port is at most 65535.'));
  if (url !== undefined) problems.push(...urlProblems(url, ['url'], document));
  problems.push(...storeProblems(settings.store, document));
  if (!isTimezone(settings.timezone))
    problems.push(
      document.problem(
        ['timezone'],
        `timezone: there is no time zone ${settings.timezone}; use a name such as Europe/Berlin.`,
      ),
    );
  return [...problems, ...limitProblems(written, document), ...shutdownProblems(written, document)];
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Whether only this machine can reach it. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);

function observing(proposal: Proposal): readonly string[] {
  const text = observedText(observedOf(proposal));
  return text === null
    ? []
    : [
        `mode: observe for ${text}: nothing is held or denied there, whatever the policies say; it is recorded.`,
      ];
}

const virtualWarnings = (written: Written): readonly string[] =>
  written.passkeys?.allowVirtualAuthenticator === true
    ? [
        'passkeys.allowVirtualAuthenticator: a program that drives a browser can enrol a passkey and sign with it, with no person there.',
      ]
    : [];

function reachable(listen: Settings['listen'], url: string | undefined): readonly string[] {
  if (isLoopback(listen.host) || url?.startsWith('https://') === true) return [];
  return [
    `listen ${listen.host}:${listen.port} can be reached from other machines, and url is not https: tokens and sessions would cross the network in clear. Put TLS in front and set url: https://…`,
  ];
}
