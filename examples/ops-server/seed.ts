/**
 * The data that a new ops database starts with. It is computed, never random, so that every copy is the same:
 * exactly 5,204 customers, a few roles, three regions. All of it is invented: addresses are at the example domains of
 * RFC 2606, telephone numbers are from the range that Ofcom keeps for drama (07700 900000 to 900999).
 */

/** Rows in `customers`. The demo and the tests count on this number. */
export const CUSTOMER_COUNT = 5204;

/** One row of `customers`. `mrr_cents` is monthly recurring revenue; `created_at` is a date, YYYY-MM-DD. */
export type Customer = Readonly<{
  id: number;
  name: string;
  email: string;
  phone: string;
  country: string;
  plan: string;
  mrr_cents: number;
  created_at: string;
}>;

const DAY_MS = 86_400_000;
const COUNTRIES = ['DE', 'FR', 'NL', 'ES', 'IT', 'SE', 'IE', 'PL', 'GB', 'US', 'CA'];
const DOMAINS = ['example.com', 'example.net', 'example.org'];
const PLANS = ['free', 'team', 'team', 'business', 'team', 'free', 'business', 'enterprise'];
const CENTS_PER_SEAT: Readonly<Record<string, number>> = {
  free: 0,
  team: 900,
  business: 1900,
  enterprise: 4900,
};
const FIRST_NAMES =
  'Ada Bram Chloé Diego Elif Femke Goran Hanna Ines Jonas Katya Liam Mara Nils Olga Pablo Quinn Rosa Sven Tomás Uma Vera Wim Yara Zoë'.split(
    ' ',
  );
const LAST_NAMES =
  'Almeida Bauer Costa Díaz Eriksen Fischer García Hughes Ivanova Jansen Kowalski Lindqvist Müller Novák Okafor Petit Quist Rossi Silva Tanaka Urban Visser Weber Young'.split(
    ' ',
  );

/** The customer with this number, 1 to CUSTOMER_COUNT. */
export function customer(id: number): Customer {
  const first = pick(FIRST_NAMES, id);
  const last = pick(LAST_NAMES, id);
  const plan = pick(PLANS, id * 5);
  return {
    id,
    name: `${first} ${last}`,
    email: `${ascii(first)}.${ascii(last)}.${id}@${pick(DOMAINS, id)}`,
    phone: `+44 7700 900${String(id % 1000).padStart(3, '0')}`,
    country: pick(COUNTRIES, id),
    plan,
    mrr_cents: (CENTS_PER_SEAT[plan] ?? 0) * (1 + (id % 40)),
    created_at: new Date(Date.UTC(2019, 0, 1) + ((id * 37) % 2500) * DAY_MS).toISOString().slice(0, 10),
  };
}

/** Who holds which role where, before anybody is granted more. */
export const ROLES: readonly Readonly<{ principal: string; role: string; scope: string }>[] = [
  { principal: 'ops-agent', role: 'viewer', scope: 'prod' },
  { principal: 'crm-bot', role: 'viewer', scope: 'customers' },
  { principal: 'deploy-pipeline', role: 'editor', scope: 'staging' },
  { principal: 'rosa', role: 'editor', scope: 'customers' },
  { principal: 'sam', role: 'admin', scope: 'prod' },
];

/** A service without `volumeGb` keeps nothing on disk and loses nothing when its cluster goes. */
export type ServiceSeed = Readonly<{ name: string; volumeGb?: number }>;

/** The clusters, by region, with what runs on them. */
export const CLUSTERS: readonly Readonly<{
  name: string;
  region: string;
  environment: string;
  nodes: number;
  services: readonly ServiceSeed[];
}>[] = [
  {
    name: 'eu-west-1-core',
    region: 'eu-west-1',
    environment: 'prod',
    nodes: 12,
    services: [
      { name: 'api' },
      { name: 'worker' },
      { name: 'postgres', volumeGb: 800 },
      { name: 'redis', volumeGb: 32 },
    ],
  },
  {
    name: 'eu-west-1-edge',
    region: 'eu-west-1',
    environment: 'prod',
    nodes: 4,
    services: [{ name: 'ingress' }, { name: 'images' }],
  },
  {
    name: 'eu-central-1-core',
    region: 'eu-central-1',
    environment: 'prod',
    nodes: 9,
    services: [{ name: 'api' }, { name: 'worker' }, { name: 'postgres', volumeGb: 650 }],
  },
  {
    name: 'eu-central-1-data',
    region: 'eu-central-1',
    environment: 'prod',
    nodes: 6,
    services: [{ name: 'warehouse', volumeGb: 4000 }, { name: 'scheduler' }],
  },
  {
    name: 'us-east-1-core',
    region: 'us-east-1',
    environment: 'prod',
    nodes: 8,
    services: [{ name: 'api' }, { name: 'worker' }, { name: 'postgres', volumeGb: 500 }],
  },
  {
    name: 'us-east-1-staging',
    region: 'us-east-1',
    environment: 'staging',
    nodes: 2,
    services: [{ name: 'api' }, { name: 'worker' }],
  },
];

function pick(list: readonly string[], n: number): string {
  const item = list[n % list.length];
  if (item === undefined) throw new Error('a list of names is empty');
  return item;
}

function ascii(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
