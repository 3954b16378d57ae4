/**
 * How the log stands, in words: what an edit of it would come up against, who has witnessed it, which key signed what. For the
 * status page; its short form stands at the head of the log.
 */
import { html } from 'hono/html';
import { maskText } from '../../core/secrets.ts';
import { grouped, line, say, short, type Shown } from '../../core/render/shown.ts';
import type { LogKey } from '../../core/log-key.ts';
import type { LogStanding, WitnessStanding } from '../../ports/transparency.ts';
import { panel } from './frame.ts';
import { chip, nothing, pairs, timeAgo, timeAt, type Html } from './html.ts';
import type { Visit } from './visit.ts';

/** Keys that the panel lists, the newest first. */
const keysMax = 12;

const meaning = (tier: LogStanding['tier']): Shown => {
  switch (tier) {
    case 'witnessed':
      return line(
        'Others have signed how this log stands. Whoever alters it afterwards, even with its keys, is found out by what they signed.',
      );
    case 'tamper-detecting':
      return line(
        'An edit is found by whoever kept an earlier checkpoint. Nobody else signs it: configure a witness (log.witnesses) for that.',
      );
  }
};

const tierChip = ({ tier, problem }: Pick<LogStanding, 'tier' | 'problem'>): Html =>
  problem === null ? chip(tier === 'witnessed' ? 'good' : 'plain', tier) : chip('bad', 'has a problem');

/** One line for the head of the log's page; nothing where the gate publishes no log. */
export async function logTier({ parts }: Pick<Visit, 'parts'>): Promise<Html> {
  const standing = await parts.transparency?.standing();
  return standing === undefined
    ? nothing
    : html`<p class="soft tier">${tierChip(standing)} ${meaning(standing.tier)}</p>`;
}

/** The panel of the status page; nothing where the gate publishes no log. */
export async function logPanel({ parts, nowMs }: Pick<Visit, 'parts' | 'nowMs'>): Promise<Html> {
  const standing = await parts.transparency?.standing();
  if (standing === undefined) return nothing;
  const { tier, problem, origin, size, published, checkpoint, witnesses, stamp, keys } = standing;
  return panel(
    'log',
    html`Log ${tierChip(standing)}`,
    html`<p>${meaning(tier)}</p>
      ${pairs([
        ...(problem === null ? [] : [['problem', short(maskText(problem), 400)] as const]),
        ['name', html`<code>${short(origin, 260)}</code>`],
        ['entries', line(`${grouped(size)}, of which ${grouped(published)} are in the tree`)],
        [
          'checkpoint',
          checkpoint === null
            ? line('none yet')
            : html`over ${grouped(checkpoint.size)} entries, ${timeAgo(checkpoint.atMs, nowMs)}:
                <code>${line(checkpoint.root)}</code>`,
        ],
        [
          'witnesses',
          witnesses.length === 0
            ? line('none configured')
            : html`${witnesses.map((one) => witnessed(one, nowMs))}`,
        ],
        [
          'time-stamp',
          stamp === null
            ? line('none')
            : html`over ${grouped(stamp.size)} entries, ${timeAgo(stamp.atMs, nowMs)}`,
        ],
        ['keys', keysOf(keys)],
      ])}`,
  );
}

const witnessed = ({ name, cosigned, late }: WitnessStanding, nowMs: number): Html =>
  html`<span
      >${late === null ? chip('good', 'signs') : chip('bad', 'late')} ${short(name, 120)}:
      ${cosigned === null ? 'nothing yet' : html`${grouped(cosigned.size)} entries, ${timeAgo(cosigned.atMs, nowMs)}`}${late === null ? nothing : html`. <span class="soft">${short(maskText(late), 300)}</span>`}</span
    ><br />`;

/** Which key signed what, from which entry on. */
function keysOf(keys: readonly LogKey[]): Html {
  const newest = keys.toReversed();
  return html`${newest
    .slice(0, keysMax)
    .map(
      (key) =>
        html`<span
            >${key.use === 'log' ? 'checkpoints' : 'receipts'}:
            <code>${line(key.id.slice(0, 16))}</code
            >${key.origin === null ? nothing : html` as ${short(key.origin, 260)}`}, from entry
            ${grouped(key.begunAt)} on
            (${timeAt(key.begunAtMs)}${key.endedAtMs === null ? nothing : html` to ${timeAt(key.endedAtMs)}`})</span
          ><br />`,
    )}${newest.length > keysMax ? say`and ${grouped(newest.length - keysMax)} before these` : nothing}`;
}
