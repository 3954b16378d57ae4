/**
 * The shapes that tools answer with and the database reads: one definition for both. The inputs that several tools share
 * are here too, and what each column of an export holds.
 */
import type { SQLOutputValue } from 'node:sqlite';
import * as z from 'zod';

/** What a column tells about people or the business; a gate shows it before an export. */
export const dataClass = z.enum(['personal', 'business', 'none']);
/** What can be counted and exported. */
export const table = z.enum(['customers', 'roles', 'clusters']);
export const column = z.object({ name: z.string(), dataClass });
/** A name that a caller gives. */
export const name = z.string().min(1).max(200);
export const region = z.enum(['eu-west-1', 'eu-central-1', 'us-east-1']);
export const where = z
  .strictObject({ column: name, equals: z.string().max(1000) })
  .describe('Only rows whose column has this value; numbers as text, flags as "1" or "0"');
export type Table = z.infer<typeof table>;
export type Column = z.infer<typeof column>;
/** One row as it is exported: column name to value. */
export type Row = Readonly<Record<string, SQLOutputValue>>;
/** Keeps the rows whose column has this value. */
export type Where = Readonly<z.infer<typeof where>>;

/** The columns that can be filtered by and are exported, in this order. */
export const COLUMNS: Readonly<Record<Table, Readonly<Record<string, Column['dataClass']>>>> = {
  customers: {
    id: 'none',
    name: 'personal',
    email: 'personal',
    phone: 'personal',
    country: 'personal',
    plan: 'business',
    mrr_cents: 'business',
    created_at: 'business',
  },
  roles: { principal: 'personal', role: 'business', scope: 'business', expires: 'business' },
  clusters: { name: 'none', region: 'none', environment: 'none', nodes: 'business', stateful: 'none' },
};

/** One customer, as the table has it; money in cents a month. */
export const customerRow = z.object({
  id: z.int(),
  name: z.string(),
  email: z.string(),
  phone: z.string(),
  country: z.string(),
  plan: z.string(),
  mrr_cents: z.int(),
  created_at: z.string(),
});
/** One role that somebody holds; without `expires` (RFC 3339) it is for good. */
export const roleRow = z.object({
  principal: z.string(),
  role: z.string(),
  scope: z.string(),
  expires: z.string().optional(),
});
/** One service; `volumeGb` only where it keeps data. */
export const serviceRow = z.object({ name: z.string(), volumeGb: z.int().optional(), restarts: z.int() });
/** One cluster; stateful if any of its services keeps data. */
export const cluster = z.object({
  name: z.string(),
  region: z.string(),
  environment: z.string(),
  nodes: z.int(),
  stateful: z.boolean(),
  services: z.array(serviceRow),
});
/** What is lost when the cluster goes. */
export const volume = z.object({ cluster: z.string(), service: z.string(), gb: z.int() });

/** The volumes of these clusters. */
export function volumes(clusters: readonly z.infer<typeof cluster>[]): z.infer<typeof volume>[] {
  return clusters.flatMap((on) =>
    on.services.flatMap(({ name: service, volumeGb: gb }) =>
      gb === undefined ? [] : [{ cluster: on.name, service, gb }],
    ),
  );
}

/** One write that ran; `at` is RFC 3339. */
export const call = z.object({
  id: z.int(),
  tool: z.string(),
  args: z.record(z.string(), z.unknown()),
  at: z.string(),
  execution: z
    .string()
    .optional()
    .describe('The execution of the gate that it was a part of; absent: of none'),
});

/** The arguments of export_rows, checked. */
export type ExportArgs = Readonly<{
  table: Table;
  where?: Where | undefined;
  format: 'csv' | 'json';
  destination: string;
}>;
/** The arguments of grant_role, checked. */
export type GrantArgs = Readonly<{
  principal: string;
  role: string;
  scope: string;
  expires?: string | undefined;
}>;
