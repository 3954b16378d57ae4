/** How people sign in, of a configuration: providers, sessions, links; what is wrong with them, and what start-up says of them. */
import { asGroupId } from '../core/ids.ts';
import { coolOffDefaultMs } from '../core/accounts.ts';
import { duration, isoDurationMs } from '../core/time.ts';
import { peopleDefaults, type PeopleSettings, type ProviderSettings } from '../ports/sign-in.ts';
import type { ConfigDocument, Path, Problem } from './document.ts';
import type { Secrets } from './secrets.ts';
import type { Written, WrittenProvider } from './written.ts';

const hourMs = 3_600_000;
/** How long ago somebody may have proven themself to a provider, where nothing is said. */
const maxAgeDefaultMs = 12 * hourMs;
/** Longest of each; more is no limit. */
const most = {
  idle: 24 * hourMs,
  absolute: 7 * 24 * hourMs,
  coolOff: 30 * 24 * hourMs,
  maxAge: 30 * 24 * hourMs,
};

const msOf = (written: string | undefined, byDefault: number): number =>
  (written === undefined ? undefined : isoDurationMs(written)) ?? byDefault;

export function peopleSettingsOf(written: Written, secrets: Secrets): PeopleSettings {
  const { idle, absolute } = written.sessions ?? {};
  return {
    providers: (written.providers ?? []).map((one, index) => providerOf(one, secrets, index)),
    idleMs: msOf(idle, peopleDefaults.idleMs),
    absoluteMs: msOf(absolute, peopleDefaults.absoluteMs),
    signInLinks: written.signInLinks ?? true,
    coolOffMs: msOf(written.limits?.coolOff, coolOffDefaultMs),
  };
}

function providerOf(written: WrittenProvider, secrets: Secrets, index: number): ProviderSettings {
  const { id, name, issuer, clientId, groups } = written;
  return {
    id,
    name,
    issuer,
    clientId,
    clientSecret: secrets.read(written.clientSecret, ['providers', index, 'clientSecret']),
    scopes: [...new Set(['openid', ...(written.scopes ?? ['profile', 'email'])])],
    groups:
      groups === undefined
        ? null
        : {
            claim: groups.claim,
            map: Object.fromEntries(
              Object.entries(groups.map).map(([theirs, ours]) => [theirs, [asGroupId(ours)]]),
            ),
          },
    maxAgeSec: Math.floor(msOf(written.maxAge, maxAgeDefaultMs) / 1000),
    linkByEmail: written.linkByEmail !== undefined,
  };
}

/** Only this machine, where plain HTTP can be read by nobody else. */
const isLocal = (issuer: string): boolean => {
  const host = URL.parse(issuer)?.hostname ?? '';
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
};

/** Slack vouches for the accounts of all its workspaces as one issuer, and workspaces provision theirs with addresses. */
const isOfAllWorkspaces = (issuer: string): boolean =>
  /^https:\/\/slack(?:-gov)?\.com\.?$/.test(URL.parse(issuer)?.origin ?? '');

export function peopleSettingsProblems(written: Written, document: ConfigDocument): readonly Problem[] {
  const problems: Problem[] = [];
  const providers = written.providers ?? [];
  for (const [index, { id, issuer, maxAge, linkByEmail }] of providers.entries()) {
    const path: Path = ['providers', index];
    const before = providers.slice(0, index);
    if (before.some((one) => one.id === id))
      problems.push(document.problem([...path, 'id'], `providers: the id "${id}" is there twice.`));
    if (before.some((one) => one.issuer === issuer))
      problems.push(document.problem([...path, 'issuer'], `providers: the issuer ${issuer} is there twice.`));
    if (URL.parse(issuer) === null)
      problems.push(document.problem([...path, 'issuer'], 'providers: issuer is no URL.'));
    else if (issuer.startsWith('http:') && !isLocal(issuer))
      problems.push(
        document.problem([...path, 'issuer'], 'providers: issuer must be https, except on this machine.'),
      );
    if (linkByEmail !== undefined && isOfAllWorkspaces(issuer))
      problems.push(
        document.problem(
          [...path, 'linkByEmail'],
          'providers: linkByEmail cannot be used with Slack: whoever runs any workspace there gives its accounts the addresses that they like. People link such an account themselves.',
        ),
      );
    problems.push(...tooLong(maxAge, most.maxAge, [...path, 'maxAge'], document));
  }
  const { idle, absolute } = written.sessions ?? {};
  const { coolOff } = written.limits ?? {};
  return [
    ...problems,
    ...tooLong(idle, most.idle, ['sessions', 'idle'], document),
    ...tooLong(absolute, most.absolute, ['sessions', 'absolute'], document),
    ...tooLong(coolOff, most.coolOff, ['limits', 'coolOff'], document),
    ...(providers.length === 0 && written.signInLinks === false
      ? [
          document.problem(
            ['signInLinks'],
            'signInLinks: false needs a provider: nobody could sign in on the web.',
          ),
        ]
      : []),
  ];
}

function tooLong(
  text: string | undefined,
  mostMs: number,
  path: Path,
  document: ConfigDocument,
): readonly Problem[] {
  if (text === undefined) return [];
  const ms = isoDurationMs(text);
  const name = path.filter((step) => typeof step === 'string').join('.');
  if (ms === undefined) return [document.problem(path, `${name} must be longer than nothing.`)];
  return ms > mostMs ? [document.problem(path, `${name} is at most ${duration(mostMs)}.`)] : [];
}

/** What is allowed, but dangerous or probably not meant. */
export function peopleSettingsWarnings(written: Written): readonly string[] {
  const providers = written.providers ?? [];
  const emails = (written.people ?? []).flatMap(({ email }) => (email === undefined ? [] : [email]));
  const hour = msOf(written.limits?.coolOff, coolOffDefaultMs);
  return [
    ...providers
      .filter((one) => one.linkByEmail !== undefined)
      .map(
        (one) =>
          `providers: ${one.id} attaches accounts by e-mail address: whoever can get an address verified there is that person here.`,
      ),
    ...providers
      .filter((one) => one.issuer.startsWith('http:'))
      .map((one) => `providers: ${one.id} is reached without TLS; only for tests on this machine.`),
    ...(emails.some((one, at) => emails.indexOf(one) !== at)
      ? ['people: an e-mail address is there twice; it decides nothing for any of them.']
      : []),
    ...(hour < hourMs
      ? [
          `limits.coolOff is ${duration(hour)}: a hijacked session could add an account and approve with it so soon.`,
        ]
      : []),
  ];
}
