/** A whole gate that posts in Teams by itself: its configuration says so, and the connector is platform.ts on loopback. */
import type { Settings } from '../../../../src/config.ts';
import { asGroupId } from '../../../../src/core/ids.ts';
import type { GateRig } from '../../contract-gate.ts';
import { channel, securityChannel, startPlatform, type Platform } from './platform.ts';
import { isOpen, textIn } from './rig.ts';

/** Groups of the contract, and the channels that they are reached in. */
const routes = { 'data-owners': channel, security: securityChannel } as const;

/** What a configuration file cannot say: a connector on loopback. */
export const withTeams =
  (teams: NonNullable<Settings['channels']['teams']>) =>
  (settings: Settings): Settings => ({
    ...settings,
    channels: {
      ...settings.channels,
      teams,
      routing: {
        groups: new Map(
          Object.entries(routes).map(([group, to]) => [asGroupId(group), [{ channel: 'teams', to }]]),
        ),
        otherwise: [],
      },
    },
  });

export interface TeamsGateRig extends GateRig {
  /** For presses (rig.ts) and for looking at what was called. */
  readonly platform: Platform;
}

export async function teamsGateRig(): Promise<TeamsGateRig> {
  const platform = await startPlatform();
  return {
    name: 'teams',
    platform,
    adapt: withTeams(platform.settings),
    copies(_gate, approval) {
      const about = platform.messages.filter((one) => JSON.stringify(one.activity).includes(approval));
      // What is said under a card, or to one person alone, is no copy.
      const cards = about.filter((one) => one.thread === null && !one.conversation.startsWith('a:'));
      return Promise.resolve(
        cards.map((card) => {
          const under = platform.messages.filter((one) => one.thread === card.id).map(textIn);
          const text = [textIn(card), JSON.stringify(card.activity), ...under].join('\n');
          return { text, open: isOpen(card) };
        }),
      );
    },
    breaks: { down: () => platform.breakDown(), up: () => platform.mend() },
    end: () => platform.stop(),
  };
}
