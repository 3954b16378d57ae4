/**
 * What is observed, by name: the log, the pages and start-up all say it in these words. What was observed before and is to be
 * observed now are compared here, so that nothing is observed before the log says so.
 */
import { operationOf, splitOperation } from '../core/action.ts';
import type { Mode } from '../core/case.ts';
import type { Proposal, ServerSettings } from '../ports/settings.ts';

export interface Observed {
  /** Servers with all of their tools, and single operations (`files___write_file`); sorted. */
  readonly names: readonly string[];
  /** Operations of these servers that are enforced all the same; sorted. */
  readonly except: readonly string[];
}

export const nothingObserved: Observed = { names: [], except: [] };

type Modes = Pick<Proposal, 'servers' | 'operations'>;

/** What a configuration wants to be observed. */
export function observedOf({ servers, operations }: Modes): Observed {
  const others = (server: ServerSettings): readonly string[] =>
    Object.entries(server.modes)
      .filter(([, mode]) => mode !== server.mode)
      .map(([tool]) => operationOf(server.name, tool));
  const whole = servers.filter((server) => server.mode === 'observe');
  const names = [
    ...whole.map((server) => server.name),
    ...servers.filter((server) => server.mode === 'enforce').flatMap(others),
    ...operations.filter((one) => one.mode === 'observe').map((one) => one.operation),
  ];
  return { names: names.toSorted(), except: whole.flatMap(others).toSorted() };
}

export const sameObserved = (a: Observed, b: Observed): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether an operation is observed. Server names hold no three underscores, so no name stands for two things. */
const observes = ({ names, except }: Observed, operation: string): boolean =>
  !except.includes(operation) &&
  (names.includes(operation) || names.includes(splitOperation(operation)?.target ?? ''));

/** The stricter of two: what the proposal wants to observe, as far as that is observed already. */
export function stricter<Of extends Modes>(proposal: Of, already: Observed): Of {
  const only = (mode: Mode, name: string): Mode =>
    mode === 'observe' && observes(already, name) ? 'observe' : 'enforce';
  return {
    ...proposal,
    servers: proposal.servers.map((server): ServerSettings => {
      const named = [...already.names, ...already.except].map((name) => splitOperation(name));
      const tools = new Set([
        ...Object.keys(server.modes),
        ...named.flatMap((one) => (one?.target === server.name ? [one.name] : [])),
      ]);
      const wanted = (tool: string): Mode =>
        Object.hasOwn(server.modes, tool) ? (server.modes[tool] ?? server.mode) : server.mode;
      return {
        ...server,
        mode: server.mode === 'observe' && already.names.includes(server.name) ? 'observe' : 'enforce',
        modes: Object.fromEntries(
          [...tools].map((tool) => [tool, only(wanted(tool), operationOf(server.name, tool))]),
        ),
      };
    }),
    operations: proposal.operations.map((one) => ({ ...one, mode: only(one.mode, one.operation) })),
  };
}

/** `crm, files___write_file (but not crm___delete_region)`; null where everything is enforced. */
export const observedText = ({ names, except }: Observed): string | null =>
  names.length === 0
    ? null
    : `${names.join(', ')}${except.length === 0 ? '' : ` (but not ${except.join(', ')})`}`;
