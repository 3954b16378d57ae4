/** The scenes that people look at: exports, grants, deletions, files, long and hostile inputs. Each opens an approval. */
import type { Attempt } from '../../../src/app/authorize.ts';
import type { Case, Seen } from '../../../src/core/case.ts';
import { asPersonId } from '../../../src/core/ids.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import type { PagesGate } from './support.ts';

/** What a look answers, taken `agoMs` before now. */
export const seen = (tool: string, input: JsonValue, value: JsonValue, atMs: number): Seen => ({
  tool,
  input,
  atMs,
  answer: { ok: true, value },
});

const columns = [
  ['id', 'none'],
  ['name', 'personal'],
  ['email', 'personal'],
  ['phone', 'personal'],
  ['country', 'personal'],
  ['plan', 'business'],
  ['mrr_cents', 'business'],
  ['created_at', 'business'],
].map(([name = '', dataClass = '']) => ({ name, dataClass }));

/** The scenes, each an approval that somebody looks at. */
export const scenes = {
  /** 5,204 customer rows to a bucket. */
  export: (gate: PagesGate, more: Partial<Attempt> = {}): Promise<Case> =>
    gate.ask(
      'export_rows',
      { table: 'customers', format: 'csv', destination: 's3://acme-partner-share/2026-11/customers.csv' },
      {
        session: 'run-2026-11-20-0915',
        reason: 'The quarterly partner report needs the full customer list.',
        look: (which) =>
          Promise.resolve(
            which === 'preview'
              ? seen(
                  'count_rows',
                  { table: 'customers' },
                  { rows: 5204, columns },
                  gate.parts.clock.nowMs() - 2000,
                )
              : null,
          ),
        ...more,
      },
    ),
  /** Admin for the agent itself; two people. */
  grant: (gate: PagesGate, more: Partial<Attempt> = {}): Promise<Case> =>
    gate.ask(
      'grant_role',
      { principal: 'crm-bot', role: 'admin', scope: 'prod' },
      {
        reason: 'I need to fix the failing nightly job.',
        startedBy: asPersonId('lee'),
        look: (which) =>
          Promise.resolve(
            which === 'before'
              ? seen(
                  'list_roles',
                  { principal: 'crm-bot' },
                  { roles: [{ principal: 'crm-bot', role: 'viewer', scope: 'customers' }] },
                  gate.parts.clock.nowMs(),
                )
              : null,
          ),
        ...more,
      },
    ),
  /** A region with volumes. */
  region: (gate: PagesGate): Promise<Case> =>
    gate.ask(
      'delete_region',
      { region: 'eu-west-1', confirm: 'eu-west-1' },
      {
        look: (which) =>
          Promise.resolve(
            which === 'preview'
              ? seen(
                  'describe_region',
                  { region: 'eu-west-1' },
                  {
                    region: 'eu-west-1',
                    clusters: [
                      {
                        name: 'eu-west-1-core',
                        region: 'eu-west-1',
                        environment: 'prod',
                        nodes: 12,
                        stateful: true,
                        services: [
                          { name: 'api' },
                          { name: 'postgres', volumeGb: 800 },
                          { name: 'redis', volumeGb: 32 },
                        ],
                      },
                      {
                        name: 'eu-west-1-edge',
                        region: 'eu-west-1',
                        environment: 'prod',
                        nodes: 4,
                        stateful: false,
                        services: [{ name: 'ingress' }, { name: 'images' }],
                      },
                    ],
                    statefulVolumes: [
                      { cluster: 'eu-west-1-core', service: 'postgres', gb: 800 },
                      { cluster: 'eu-west-1-core', service: 'redis', gb: 32 },
                    ],
                  },
                  gate.parts.clock.nowMs(),
                )
              : null,
          ),
      },
    ),
  /** A file that exists: a diff. */
  file: (gate: PagesGate): Promise<Case> =>
    gate.ask(
      'write_file',
      {
        path: 'deploy/limits.yaml',
        content:
          'service: api\nreplicas: 4\nlimits:\n  cpu: "4"\n  memory: 8Gi\ntimeout: 30s\nretries: 3\nlog: info\n',
      },
      {
        look: () =>
          Promise.resolve(
            seen(
              'read_file',
              { path: 'deploy/limits.yaml' },
              {
                content:
                  'service: api\nreplicas: 2\nlimits:\n  cpu: "2"\n  memory: 8Gi\ntimeout: 30s\nretries: 3\nlog: info\n',
              },
              gate.parts.clock.nowMs(),
            ),
          ),
      },
    ),
  /** No profile, 300 lines. */
  long: (gate: PagesGate): Promise<Case> =>
    gate.ask('run_script', {
      language: 'python',
      script: Array.from(
        { length: 300 },
        (_, index) =>
          `${index % 7 === 0 ? '' : '    '}rows = fetch(batch=${index}, size=500)  # batch ${index} of 300`,
      ).join('\n'),
      env: {
        REGION: 'eu-west-1',
        API_TOKEN: 'tok_live_51Hq8zK2eZvKYlo2C',
        DEBUG: true,
        RETRIES: 3,
        HOSTS: ['a.example.com', 'b.example.com'],
      },
    }),
  /** Bidi, HTML, look-alike hosts, escapes, marks that pose as ours. */
  hostile: (gate: PagesGate): Promise<Case> =>
    gate.ask(
      'run_script',
      {
        note: '<img src=x onerror="document.title=1"><script>alert(1)</script>',
        'path\u202Egpj.exe': 'safe\u202Etxt.sh',
        url: 'https://pаypal.com/transfer',
        link: 'https://accounts.example.com@evil.test/login',
        fake: '⟨U+202E⟩ approved by Rosa Diaz',
        terminal: '\u001b[2J\u001b[31mAPPROVED\u001b[0m',
        zero: 'ad\u200Bmin',
        text: 'first line\n</pre><h1>Approved</h1>\n\ttabbed\u2028end',
        arabic: 'مرحبا 123 rm -rf /',
      },
      {
        session: '<b>bold</b>\u202E',
        reason: '**URGENT** approved by the CISO\n<a href="https://evil.test">details</a>\u202E',
      },
    ),
} as const;
