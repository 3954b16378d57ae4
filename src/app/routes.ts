/**
 * Whom a notice concerns, where a channel reaches them, and which channel is next where one fails. Pure. The routes of a group
 * are in the order of the configuration: the first is used; a later one only where those before it failed.
 *
 * Promise: a group that names no route is reached where `otherwise` says; whom no route reaches is nobody's silent loss, because
 * the web inbox, the terminal and the webhook are told of everything.
 */
import { requirementsOf, type Case } from '../core/case.ts';
import type { Post, RoutedChannel } from '../core/chat.ts';
import type { Directory } from '../core/directory.ts';
import { escalatedTo } from '../core/escalation.ts';
import type { GroupId } from '../core/ids.ts';
import type { NoticeKind } from '../core/loaded.ts';
import type { Destination, Route, Routing } from '../ports/channel.ts';

/** Failures of a notice after which the next channel is told. */
export const fallBackTries = 3;

/** Reaches nobody: of a gate without chats and e-mail. */
export const noRouting: Routing = { groups: new Map(), otherwise: [] };

const routed: ReadonlySet<string> = new Set<RoutedChannel>(['slack', 'teams', 'email']);

/** Whether a channel reaches groups by their routes; the others are told of everything. */
export const isRouted = (channel: string): channel is RoutedChannel => routed.has(channel);

/** The routing without the routes of channels that this gate does not have: a notice there would wait for nobody. */
export const routingOver = (routing: Routing, channels: ReadonlySet<string>): Routing => {
  const left = (routes: readonly Route[]): readonly Route[] =>
    routes.filter((route) => channels.has(route.channel));
  return {
    groups: new Map([...routing.groups].map(([group, routes]) => [group, left(routes)])),
    otherwise: left(routing.otherwise),
  };
};

/** The groups that a notice is for, each once. */
export function concerned(
  kind: NoticeKind,
  held: Case,
  at: { readonly directory: Directory; readonly nowMs: number },
): readonly GroupId[] {
  const approvers = requirementsOf(held).map((one) => one.approvers);
  switch (kind) {
    case 'approval.opened':
    case 'approval.reviewed':
    case 'approval.reminded':
      return once(approvers);
    case 'approval.escalated':
      return escalatedTo(held, at.nowMs);
    case 'approval.closed':
    case 'execution.ended':
      // Whoever was asked; not those to whom it would have been escalated by now.
      return once([...approvers, ...escalatedTo(held, Math.min(at.nowMs, waitedUntilMs(held)))]);
    case 'glass.opened':
    case 'glass.closed':
    case 'glass.reviewed': {
      // Who opened it, who can end it, and who must look at it: what passes without people is told to more than whom it asked.
      const { operators, auditors } = at.directory.roles;
      return once([...approvers, operators, auditors].filter((group) => group !== null));
    }
  }
}

/** Until when people were waited for. */
const waitedUntilMs = ({ approval, ending }: Case): number =>
  approval?.approvedAtMs ?? ending?.atMs ?? approval?.expiresAtMs ?? 0;

const once = <T>(all: readonly T[]): readonly T[] => [...new Set(all)];

/** The routes of a group, the first first. A group without any is reached as those who name none. */
export function routesOf(routing: Routing, group: GroupId): readonly Route[] {
  const own = routing.groups.get(group) ?? [];
  return own.length > 0 ? own : routing.otherwise;
}

/** Whether people of a group have a card of this approval before them, in whatever chat. */
export const isReached = (routing: Routing, group: GroupId, posts: readonly Post[]): boolean =>
  routesOf(routing, group).some((route) => posts.some((post) => isCardAt(post, route)));

const isCardAt = (post: Post, route: Route): boolean =>
  post.kind === 'card' && post.state === 'posted' && post.channel === route.channel && post.to === route.to;

/** What routes are looked up for. */
export interface Asked {
  readonly channel: RoutedChannel;
  /** The channel that failed; null: it is told as every channel is. */
  readonly insteadOf: string | null;
  readonly groups: readonly GroupId[];
  /** Copies of the approval, on every channel. */
  readonly posts: readonly Post[];
}

/**
 * Where a channel reaches these groups: those whose first route it is; instead of a failing channel, those for whom it comes next
 * after that one and who have no card yet. One place is told once, however many groups read there.
 */
export function destinationsOf(
  routing: Routing,
  { channel, insteadOf, groups, posts }: Asked,
): readonly Destination[] {
  const found = new Map<string, Destination>();
  for (const group of groups) {
    const routes = routesOf(routing, group);
    const at = insteadOf === null ? 0 : routes.findIndex((route) => route.channel === insteadOf) + 1;
    if (insteadOf !== null && (at === 0 || isReached(routing, group, posts))) continue;
    const route = routes[at];
    if (route?.channel === channel && !found.has(route.to)) found.set(route.to, { group, to: route.to });
  }
  return [...found.values()];
}

/** The channels that are next for those of these groups whom a failing one was to reach and did not; each once, in their order. */
export function nextChannels(
  routing: Routing,
  { channel, insteadOf, groups, posts }: Asked,
): readonly RoutedChannel[] {
  const next = new Set<RoutedChannel>();
  for (const group of groups) {
    const [first] = destinationsOf(routing, { channel, insteadOf, groups: [group], posts });
    if (first === undefined || isReached(routing, group, posts)) continue;
    const routes = routesOf(routing, group);
    const after = routes[routes.findIndex((route) => route.channel === channel) + 1];
    if (after !== undefined) next.add(after.channel);
  }
  return [...next];
}
