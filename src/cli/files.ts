/** The configuration as the command line finds it, and the store that it names. */
import { stat } from 'node:fs/promises';
import { readSettings, type Settings } from '../config.ts';
import { problemText } from '../config/document.ts';
import type { SecretsMode } from '../config/secrets.ts';
import { nearest } from '../config/nearest.ts';
import { Failure, UsageError, type Args, type Option } from './command.ts';
import type { Io } from './io.ts';

/** What a configuration is called where nothing else is said. */
export const configName = 'countersign.yaml';

/** `--config FILE` for a command that is printed, with a space before it; nothing where commands find the file by themselves. */
export const configWords = (file: string, io: Io): string =>
  io.typed(file) === configName ? '' : ` --config ${io.typed(file)}`;

export const configOption: Option = { value: 'FILE', help: `the configuration; default ./${configName}` };

/** Where a running gate is looked for where nothing else is said. */
const defaultUrl = 'http://localhost:7788';

export const urlOption: Option = {
  value: 'URL',
  help: `the gate; default COUNTERSIGN_URL, else ${defaultUrl}`,
};

/** Reads `--config`; all its problems are one failure. */
export async function settingsOf(args: Args, io: Io, secrets: SecretsMode): Promise<Settings> {
  const file = io.path(args.values['config'] ?? configName);
  if (!(await exists(file)))
    throw new Failure(
      `There is no ${io.typed(file)} (ENOENT). Say with --config where yours is, or make one: ${io.command('init --help')}`,
    );
  const settings = await readSettings(file, { secrets, env: io.env, label: io.typed(file) });
  if (settings.ok) return settings.value;
  throw new Failure(settings.error.map(problemText).join('\n'));
}

/** The origin of `--url`, without a slash at its end. */
export function gateUrl(args: Args, io: Io): string {
  const typed = args.values['url'] ?? io.env['COUNTERSIGN_URL'] ?? defaultUrl;
  const url = URL.parse(typed);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`“${typed}” is not an http or https URL.`);
  return url.origin;
}

/** A port as it was typed. 0 is any free one. */
export function portOf(typed: string): number {
  const port = Number(typed);
  if (!/^\d{1,5}$/.test(typed) || port > 65_535) throw new UsageError(`--port ${typed} is not a port.`);
  return port;
}

/** Whether something is there, of whatever kind. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The bearer token of whoever calls. */
export function tokenOf(io: Io, how: string): string {
  const token = (io.env['COUNTERSIGN_TOKEN'] ?? '').trim();
  if (token === '') throw new Failure(`COUNTERSIGN_TOKEN is not set. ${how}`);
  return token;
}

/** Fails where a name is not in a list, naming the nearest one that is. */
export function mustBeIn(id: string, known: readonly string[], what: string, file: string): void {
  if (known.includes(id)) return;
  const near = nearest(id, known);
  const hint =
    near === undefined
      ? known.length === 0
        ? 'it names none'
        : `it names: ${known.join(', ')}`
      : `did you mean ${near}?`;
  throw new Failure(`${file} has no ${what} “${id}”; ${hint}${near === undefined ? '.' : ''}`);
}
