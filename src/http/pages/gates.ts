/** The gates that share the store, for the status page; nothing where the store lets in one at a time. */
import { html } from 'hono/html';
import { living, unlike } from '../../core/alike.ts';
import { line, say, short, shortDigest } from '../../core/render/shown.ts';
import { asDigest } from '../../core/ids.ts';
import type { GateRow } from '../../ports/gates.ts';
import { panel } from './frame.ts';
import { chip, nothing, pairs, timeAgo, type Html } from './html.ts';
import type { Visit } from './visit.ts';

/** Gates that the panel lists, the longest there first. */
const gatesMax = 50;

export async function gatesPanel({
  parts,
  about,
  nowMs,
}: Pick<Visit, 'parts' | 'about' | 'nowMs'>): Promise<Html> {
  const { store } = parts;
  if (!store.shared) return nothing;
  const gates = await store.gates();
  const alive = living(gates);
  const differs = unlike(gates);
  return panel(
    'gates',
    html`Gates ${chip(differs.length === 0 ? 'good' : 'bad', say`${alive.length} of ${gates.length}`)}`,
    html`${differs.map((one) => html`<p class="alarm">${one}</p>`)}
      <div class="names">
        ${pairs(gates.slice(0, gatesMax).map((gate) => [short(gate.body.host, 60), gateWords(gate, about.gate, nowMs)] as const))}
      </div>`,
  );
}

function gateWords({ id, startedAtMs, silentMs, body }: GateRow, self: string, nowMs: number): Html {
  const isGone = living([{ silentMs, body }]).length === 0;
  const files =
    body.config === null
      ? line('none that can be used')
      : say`${shortDigest(asDigest(body.config))}${body.current ? '' : ', older than what was proposed last'}`;
  return html`${isGone ? chip('bad', 'gone') : chip('good', 'lives')}
    ${short(body.url, 120)}${id === self ? html` ${chip('plain', 'shows this page')}` : nothing}<br /><span
      class="soft"
      >${short(id, 40)}, process ${body.pid}, version ${short(body.version, 40)} (schema ${body.schema})<br />configuration
      ${files}<br />started ${timeAgo(startedAtMs, nowMs)}, heard of ${timeAgo(nowMs - silentMs, nowMs)}</span
    >`;
}
