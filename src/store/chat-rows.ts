/** Copies in chats, what they showed, and presses there, as rows, both ways. */
import { asClickId, asPostId, type ChatKind, type Click, type Post, type Showing } from '../core/chat.ts';
import { asApprovalId, asSha256Hex } from '../core/ids.ts';
import type { Loaded, Needs, Write } from '../core/loaded.ts';
import { canonicalize } from '../core/canonical.ts';
import type { Chats, Failing } from '../ports/chats.ts';
import { integer, integerOrNull, json, text } from './columns.ts';
import type { Driver, Queries, Row } from './driver.ts';

/** Rows that one read answers at most. */
const rowsMax = 1000;
const failingMax = 200;

type PostBody = Omit<Post, 'id' | 'approval' | 'channel' | 'kind' | 'state' | 'atMs'>;
type ClickBody = Omit<Click, 'id' | 'channel' | 'atMs' | 'doneAtMs'>;

const postColumns = 'id, approval_id, channel, kind, state, at_ms, body';

const postOf = (row: Row): Post => ({
  id: asPostId(text(row, 'id')),
  approval: asApprovalId(text(row, 'approval_id')),
  // CHECKed by the schema.
  channel: text(row, 'channel') as ChatKind,
  kind: text(row, 'kind') as Post['kind'],
  state: text(row, 'state') as Post['state'],
  atMs: integer(row, 'at_ms'),
  // Written from a Post only.
  ...(json(row, 'body') as PostBody),
});

const clickColumns = 'id, channel, at_ms, done_at_ms, body';

const clickOf = (row: Row): Click => ({
  id: asClickId(text(row, 'id')),
  // CHECKed by the schema.
  channel: text(row, 'channel') as ChatKind,
  atMs: integer(row, 'at_ms'),
  doneAtMs: integerOrNull(row, 'done_at_ms'),
  // Written from a Click only.
  ...(json(row, 'body') as ClickBody),
});

const postBy = async (from: Queries, id: string): Promise<Post | undefined> => {
  const [row] = await from.query(`SELECT ${postColumns} FROM posts WHERE id = $1`, [id]);
  return row === undefined ? undefined : postOf(row);
};

const clickBy = async (from: Queries, id: string): Promise<Click | undefined> => {
  const [row] = await from.query(`SELECT ${clickColumns} FROM clicks WHERE id = $1`, [id]);
  return row === undefined ? undefined : clickOf(row);
};

/** What a step about chats reads. */
export async function readNeededChat(from: Queries, needs: Needs): Promise<Pick<Loaded, 'post' | 'click'>> {
  return {
    ...(needs.post === undefined ? {} : { post: (await postBy(from, needs.post)) ?? null }),
    ...(needs.click === undefined ? {} : { click: (await clickBy(from, needs.click)) ?? null }),
  };
}

export async function writeChat(
  driver: Driver,
  write: Extract<Write, { row: 'post' | 'showing' | 'click' }>,
  nowMs: number,
): Promise<void> {
  switch (write.row) {
    case 'post': {
      const { id, approval, channel, kind, state, atMs, ...body } = write.post;
      await driver.run(
        `INSERT INTO posts (${postColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7)
          ON CONFLICT (id) DO UPDATE SET state = $5, at_ms = $6, body = $7`,
        [id, approval, channel, kind, state, atMs, JSON.stringify(body)],
      );
      return;
    }
    case 'showing':
      await driver.run(
        'INSERT INTO showings (digest, body, at_ms, approval_id) VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING',
        [write.showing.digest, canonicalize(write.showing.body), nowMs, write.approval],
      );
      return;
    case 'click': {
      const { id, channel, atMs, doneAtMs, ...body } = write.click;
      await driver.run(
        `INSERT INTO clicks (${clickColumns}) VALUES ($1, $2, $3, $4, $5)
          ON CONFLICT (id) DO UPDATE SET done_at_ms = $4, body = $5`,
        [id, channel, atMs, doneAtMs, JSON.stringify(body)],
      );
    }
  }
}

const failingOf = (row: Row): Failing => ({
  id: text(row, 'id'),
  channel: text(row, 'channel'),
  // CHECKed by the schema.
  kind: text(row, 'kind') as Failing['kind'],
  approval: asApprovalId(text(row, 'approval_id')),
  attempts: integer(row, 'attempts'),
  detail: text(row, 'detail'),
  sinceMs: integer(row, 'since_ms'),
  dueAtMs: integer(row, 'due_at_ms'),
  fellBack: integer(row, 'fell_back') === 1,
});

const failingColumns = 'id, channel, kind, approval_id, attempts, detail, since_ms, due_at_ms, fell_back';

export const readChats = (db: Queries, clock: { nowMs(): number }): Chats => ({
  async postsOf(approval, channel) {
    const rows =
      channel === undefined
        ? db.query(
            `SELECT ${postColumns} FROM posts WHERE approval_id = $1 ORDER BY at_ms, id LIMIT ${rowsMax}`,
            [approval],
          )
        : db.query(
            `SELECT ${postColumns} FROM posts WHERE approval_id = $1 AND channel = $2
              ORDER BY at_ms, id LIMIT ${rowsMax}`,
            [approval, channel],
          );
    return (await rows).map(postOf);
  },

  post: (id) => postBy(db, id),
  click: (id) => clickBy(db, id),

  async showing(digest): Promise<Showing | undefined> {
    const [row] = await db.query('SELECT digest, body FROM showings WHERE digest = $1', [digest]);
    return row === undefined
      ? undefined
      : { digest: asSha256Hex(text(row, 'digest')), body: json(row, 'body') as Showing['body'] };
  },

  async openClicks(channel) {
    const rows = await db.query(
      `SELECT ${clickColumns} FROM clicks WHERE channel = $1 AND done_at_ms IS NULL
        ORDER BY at_ms, id LIMIT ${rowsMax}`,
      [channel],
    );
    return rows.map(clickOf);
  },

  async failingNotices(approval) {
    const rows =
      approval === undefined
        ? db.query(
            `SELECT ${failingColumns} FROM notices WHERE detail IS NOT NULL ORDER BY since_ms, id LIMIT ${failingMax}`,
          )
        : db.query(
            `SELECT ${failingColumns} FROM notices WHERE detail IS NOT NULL AND approval_id = $1
              ORDER BY since_ms, id LIMIT ${failingMax}`,
            [approval],
          );
    return (await rows).map(failingOf);
  },

  async noticesByChannel() {
    const rows = await db.query(
      `SELECT channel, count(*) AS many, min(since_ms) AS oldest FROM notices
        WHERE since_ms <= $1 GROUP BY channel ORDER BY channel`,
      [clock.nowMs()],
    );
    return rows.map((row) => ({
      channel: text(row, 'channel'),
      count: integer(row, 'many'),
      oldestMs: integer(row, 'oldest'),
    }));
  },
});
