/** Where an approval stands, as parts of a card: what happens without an answer, how far it is, who can and who cannot. */
import type { Part } from './card.ts';
import type { Barred, Need } from './people.ts';
import type { Presentation, Said } from './present.ts';
import { clock, line, listed, say, type Shown } from './shown.ts';

type Item = (Part & { readonly as: 'items' })['items'][number];
type Row = (Part & { readonly as: 'pairs' })['rows'][number];

const items = (list: readonly Item[]): Part => ({ as: 'items', items: list });
const said = (label: string, value: string): Row => ({
  label: line(label),
  value: line(value),
  literal: false,
  claimed: false,
});

/** What happened or will; how far it is; who did what; who can and who cannot. */
export function standingParts(shown: Presentation): readonly Part[] {
  const { standing, needs, reviews } = shown;
  const denied = reviews.some((one) => one.decision === 'deny');
  return [
    // Who denied it, when, and with which words is said of the review.
    items(denied ? [] : [{ text: standing.text, tone: standing.tone }]),
    { as: 'quote', lines: denied ? [] : standing.said },
    ...(denied ? [] : [items(needs.map(needItem))]),
    ...reviews.flatMap((one): readonly Part[] => [
      items([{ text: reviewWords(one), tone: one.decision === 'deny' ? 'bad' : 'good' }]),
      { as: 'quote', lines: one.reason },
    ]),
    ...(denied ? [items(needs.map(needItem))] : []),
    {
      as: 'pairs',
      rows: [
        ...(standing.state === 'pending' ? peopleRows(shown.canApprove, shown.cannotApprove) : []),
        { ...said('short digest', shown.exact.shortDigest), literal: true },
      ],
    },
  ];
}

function needItem(need: Need): Item {
  const { count, quorum, approvers, title, met, reasonRequired, passkey, channels, escalated } = need;
  const asks = [...(reasonRequired ? ['a reason'] : []), ...(passkey ? ['a passkey'] : [])];
  const where = channels === null ? '' : `, only in: ${listed(channels)}`;
  const besides = escalated === null ? '' : `, escalated to ${escalated.group} at ${clock(escalated.atMs)}`;
  return {
    text: say`${count} of ${quorum} from ${approvers}${asks.length === 0 ? '' : ` with ${listed(asks)}`}${where}${besides}: ${title}`,
    tone: met ? 'good' : 'waiting',
  };
}

const reviewWords = ({ name, standingInFor, decision, unsafe, channel, signed, atMs }: Said): Shown =>
  say`${name} ${decision === 'approve' ? 'approved' : unsafe ? 'denied it as unsafe' : 'denied'}${standingInFor === null ? '' : ` for ${standingInFor}`} ${channel}${signed ? ', signed with a passkey' : ''}, ${clock(atMs)}`;

const peopleRows = (can: readonly Shown[], cannot: readonly Barred[]): readonly Row[] => [
  said('can approve', can.length === 0 ? 'nobody who has not yet' : listed(can)),
  ...cannot.map((one) => said('cannot approve', `${one.name}: ${one.why}`)),
];
