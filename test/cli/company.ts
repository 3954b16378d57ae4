/** A company with a gate of its own, for tests: its files, the command line, people with tokens, and an agent that asks. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder, run, serving, until, type Ran } from './run.ts';

export interface Company {
  readonly url: string;
  /** Waits until the gate has said it on its terminal, since it started or since the last edit. */
  says(line: string | RegExp): Promise<void>;
  /** The command line at the machine. */
  cli(...args: readonly string[]): Promise<Ran>;
  /** The same with somebody's token. */
  as(person: string, ...args: readonly string[]): Promise<Ran>;
  edit(file: string, change: (before: string) => string): void;
  /** Asks as the agent; answers its code, or its state. */
  ask(agent: string, path: string): Promise<string>;
  /** Approves what of that operation waits. */
  approve(person: string, operation: string): Promise<Ran>;
  api(
    person: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
}

/** Everything that a company does, with a gate that serves its folder. */
export async function company(
  files: Readonly<Record<string, string>>,
  work: (at: Company) => Promise<void>,
): Promise<void> {
  await inFolder(files, async (folder) => {
    await serving(
      folder,
      async ({ url, err }) => {
        let read = 0;
        const tokens = new Map<string, string>();
        const cli: Company['cli'] = (...args) => run(args, { cwd: folder });
        const token = async (kind: string, id: string): Promise<string> => {
          const made = tokens.get(`${kind} ${id}`) ?? (await cli('token', kind, id)).out.trim();
          tokens.set(`${kind} ${id}`, made);
          return made;
        };
        const as: Company['as'] = async (person, ...args) =>
          run(args, {
            cwd: folder,
            env: { COUNTERSIGN_TOKEN: await token('person', person), COUNTERSIGN_URL: url },
          });
        const api = async (
          bearer: string,
          method: string,
          path: string,
          body?: object,
        ): ReturnType<Company['api']> => {
          const response = await fetch(url + path, {
            method,
            headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          // Every answer of the API is an object.
          return { status: response.status, body: (await response.json()) as Record<string, unknown> };
        };
        const at: Company = {
          url,
          says: (line) =>
            until(
              () =>
                typeof line === 'string' ? err().slice(read).includes(line) : line.test(err().slice(read)),
              err,
            ),
          cli,
          as,
          edit: (file, change) => {
            const was = readFileSync(join(folder, file), 'utf8');
            assert.notEqual(change(was), was, `${file} is not as the document says`);
            read = err().length;
            writeFileSync(join(folder, file), change(was));
          },
          ask: async (agent, path) => {
            const asked = await api(await token('agent', agent), 'POST', '/v1/actions', {
              operation: 'files___write',
              input: { path },
            });
            return String(asked.body['code'] ?? asked.body['state']);
          },
          approve: async (person, operation) => {
            const { body } = await at.api(person, 'GET', '/v1/approvals?status=pending');
            // The API's own shape.
            const all = body['items'] as readonly {
              readonly id: string;
              readonly digest: string;
              readonly action: { readonly operation: string };
            }[];
            const waits = all.find((one) => one.action.operation === operation);
            assert.ok(waits !== undefined, `no ${operation} waits for ${person}`);
            return as(person, 'approvals', 'approve', waits.id, '--digest', waits.digest);
          },
          api: async (person, ...rest) => api(await token('person', person), ...rest),
        };
        await work(at);
      },
      ['--port', '0'],
    );
  });
}
