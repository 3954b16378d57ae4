/** What the evidence does not show. Each sentence is there because of what was found, or because no log can show it. */
import { counted, line, say, type Shown } from '../render/shown.ts';
import type { Counts } from './model-rows.ts';
import type { Reconciliation, Scope } from './model-sections.ts';
import type { LogRange, Period } from './model.ts';

export interface Limits {
  readonly counts: Counts;
  readonly log: Pick<LogRange, 'tier' | 'quorum'>;
  readonly scope: Scope;
  readonly reconciliations: readonly Reconciliation[];
  readonly period: Period;
  /** The period was not over when this was made. */
  readonly unfinished: boolean;
  readonly carriedIn: number;
}

export function notCoveredOf(of: Limits): readonly Shown[] {
  const { counts, log, scope, reconciliations } = of;
  const cooperative = counts.ranCooperative;
  const servers = scope.servers.filter(({ server }) => server !== '').length;
  return [
    ...ofLog(log),
    ...(reconciliations.length === 0
      ? [
          line(
            'Nothing that the targets themselves recorded was compared with the log. That nothing went around the gate rests on the network and on who holds credentials, and is not shown here.',
          ),
        ]
      : [
          say`Only the targets of ${counted(reconciliations.length, 'reconciliation')} were compared with the log; for ${servers === 0 ? 'operations of the HTTP API' : 'any other target'}, that nothing went around the gate rests on the network and on who holds credentials.`,
        ]),
    ...(cooperative > 0
      ? [
          say`${counted(cooperative, 'action')} ran in the agents’ own processes (cooperative): when they ran and how they ended is what the agents reported.`,
        ]
      : []),
    ...(counts.observed > 0
      ? [say`${counted(counts.observed, 'action')} passed while only observed: nothing was held or denied.`]
      : []),
    ...(scope.downtimes.length > 0
      ? [
          say`${counted(scope.downtimes.length, 'time')} no gate ran: nothing passed through it then, and what else happened is not in the log.`,
        ]
      : []),
    ...(counts.erased > 0
      ? [
          say`The payloads of ${counted(counts.erased, 'row')} were erased in part or whole: that they are in the log is proven, what they said is not known.`,
        ]
      : []),
    ...(counts.hidden > 0
      ? [say`Policies of this gate keep what ${counted(counts.hidden, 'row')} hold from whoever made this.`]
      : []),
    ...(of.unfinished
      ? [line('The period was not over when this was made: what came later is not in it.')]
      : []),
    ...(of.carriedIn > 0
      ? [
          say`${counted(of.carriedIn, 'action')} asked before the period went on in it; their rows belong to the population of the period in which they were asked.`,
        ]
      : []),
    line(
      'Whether the values in an input were true, and whether the people who approved understood what they were shown, is not shown.',
    ),
    line(
      'Whether the gate’s own program was altered is not shown: a gate with other code can write what did not happen.',
    ),
    line(
      'Attempts that were refused before they were an action are counted as far as the log keeps them: floods of the same refusal leave one entry a minute.',
    ),
    line(
      'How people proved who they are at their identity provider, and who had the devices that signed, is not shown.',
    ),
    line('What an agent did with an answer that it was rightly given is not shown.'),
  ];
}

const ofLog = ({ tier, quorum }: Limits['log']): readonly Shown[] => {
  switch (tier) {
    case 'witnessed':
      return [
        say`The log could be rewritten only together with ${counted(quorum, 'witness', 'witnesses')}; that they are independent is for the reader to judge.`,
      ];
    case 'tamper-detecting':
      return [
        line(
          'No witness has signed the end checkpoint: whoever has the log’s key and the store could have rewritten the whole log, unless somebody kept an earlier checkpoint.',
        ),
      ];
    case 'unpublished':
      return [
        line(
          'No checkpoint covers the end of the period yet: for its last entries there is only the hash chain in the gate’s own store.',
        ),
      ];
  }
};
