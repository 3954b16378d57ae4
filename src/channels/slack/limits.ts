/**
 * What Slack takes, by number. Those without a note are in its reference (docs.slack.dev/reference/block-kit); a message or a view
 * that passes one is refused whole, and nobody would be asked. Lengths are UTF-16 units, sizes UTF-8 bytes.
 */

/** Blocks of a message, and of a modal or home view. */
export const blocksMax = { message: 50, view: 100 };

/** Of a header block. */
export const headerCharsMax = 150;
/**
 * Of a section's text. Slack documents no limit for a rich_text block; ours stays at what it takes of text elsewhere. Its clients may
 * fold a long block behind their own "See more": what is folded is marked as that, and it cannot be turned off for rich text.
 */
export const blockCharsMax = 3000;
/** Of a button's label, and of an option of a checkbox. */
export const labelCharsMax = 75;
/** Of action_id, block_id and callback_id. */
export const idCharsMax = 255;
/** Of what an input takes: what a review keeps of a reason (app/review.ts). Slack would take 3000. */
export const reasonCharsMax = 2000;
/** Elements of an actions block. */
export const actionsMax = 25;

/**
 * Of all blocks of a message as JSON. Slack refuses more with `msg_blocks_too_long`, and does not document where: about 13,200
 * characters of text were measured, less with many elements (slackapi/bolt-js issues 2509 and 2867, which name 12,000 and
 * "a buffer for block containers"). Counted here are bytes with all the JSON around the text, so this is below every one of those
 * measures.
 */
export const messageBytesMax = 12_000;
/** Of a view; Slack refuses 250 KB (`view_too_large`), and nobody reads as much in a window of that size. */
export const viewBytesMax = 60_000;

/** Of the text for notifications; Slack asks for short ones, and cuts what is longer than 4,000. */
export const fallbackCharsMax = 400;
/** Code points of a note or a word, which may have a reason in it: twice as many units are still below what a block takes. */
export const wordCharsMax = 1400;
/** Code points of a headline in a list or over a form. */
export const headlineCharsMax = 300;
