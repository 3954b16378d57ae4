/** `data:`, `database:` and `postgres:` of a configuration: where the store is. */
import { resolve } from 'node:path';
import type { ConfigDocument, Problem } from './document.ts';
import type { Secrets } from './secrets.ts';
import type { Written } from './written.ts';

/** Where the store is: a folder of the embedded one, or PostgreSQL, whose URLs may hold a password. */
export type StoreSettings =
  | { readonly kind: 'sqlite'; readonly directory: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** The same database past the pooler that `url` names; null: `url` is no pooler. */
      readonly direct: string | null;
      /** `required`: nothing is written where commits wait for no standby. */
      readonly standby: 'warn' | 'required';
    };

export function storeOf(written: Written, secrets: Secrets, folder: string): StoreSettings {
  const { database, postgres } = written;
  if (database === undefined) return { kind: 'sqlite', directory: resolve(folder, written.data ?? 'data') };
  const direct = postgres?.direct;
  return {
    kind: 'postgres',
    url: secrets.read(database, ['database'], 'required'),
    direct: direct === undefined ? null : secrets.read(direct, ['postgres', 'direct'], 'required'),
    standby: postgres?.standby ?? 'warn',
  };
}

const scheme = /^postgres(?:ql)?:\/\//;

export function storeProblems(store: StoreSettings, document: ConfigDocument): readonly Problem[] {
  if (store.kind === 'sqlite') return [];
  const urls = [
    { name: 'database', path: ['database'], url: store.url },
    { name: 'postgres.direct', path: ['postgres', 'direct'], url: store.direct ?? '' },
  ];
  return urls
    .filter(({ url }) => url !== '' && !scheme.test(url))
    .map(({ name, path }) => document.problem(path, `${name} must be a URL that begins with postgres://.`));
}
