/**
 * The three forms: why something is approved, where a policy asks for that; why it is denied; why an agent is stopped. A form
 * carries its id and its tag in `private_metadata`, nothing else; whose account it was opened for is in the tag.
 */
import type { Button } from '../../core/render/card.ts';
import { line, short, type Shown } from '../../core/render/shown.ts';
import {
  bold,
  callbackIds,
  carried,
  plain,
  richText,
  text,
  type Block,
  type InputBlock,
  type ModalView,
} from './blocks.ts';
import { headlineCharsMax, reasonCharsMax } from './limits.ts';

/** What the gate says a form is about (`Chat.form`). */
export interface FormOf extends Button {
  readonly headline: Shown;
}

/** Where what was typed is in `view.state.values`: block and action have the same name. */
export const fieldIds = { reason: 'reason', unsafe: 'unsafe' } as const;

/** What is approved stands on the card, or in the view, that this was opened from; it is shown there whole, or not at all. */
export const approveForm = (of: FormOf): ModalView => ({
  type: 'modal',
  callback_id: callbackIds.approve,
  private_metadata: carried(of),
  title: plain('Approve'),
  submit: plain('Approve'),
  close: plain('Cancel'),
  blocks: [about(of), reasonInput('The policy asks for one. It is kept with your approval.', true)],
});

/** No policy asks for a reason of a denial: whoever is in doubt must be able to say no at once. */
export const denyForm = (of: FormOf): ModalView => ({
  type: 'modal',
  callback_id: callbackIds.deny,
  private_metadata: carried(of),
  title: plain('Deny'),
  submit: plain('Deny'),
  close: plain('Cancel'),
  blocks: [
    about(of),
    reasonInput('The agent is told, word for word.', false),
    {
      type: 'input',
      block_id: fieldIds.unsafe,
      label: plain('Danger'),
      optional: true,
      element: {
        type: 'checkboxes',
        action_id: fieldIds.unsafe,
        options: [
          {
            text: plain('It is unsafe'),
            value: 'unsafe',
            description: plain('The same action is refused for 15 minutes.'),
          },
        ],
      },
    },
  ],
});

/** Stopping takes a reason: it refuses everything, at once, until an operator lifts it. */
export const stopForm = (of: FormOf): ModalView => ({
  type: 'modal',
  callback_id: callbackIds.stop,
  private_metadata: carried(of),
  title: plain('Stop the agent'),
  submit: plain('Stop the agent'),
  close: plain('Cancel'),
  blocks: [
    about(of),
    richText(
      text(
        line(
          'Everything that its agent asks is refused and what waits is withdrawn, until an operator who does not own the agent lifts that.',
        ),
      ),
    ),
    reasonInput('The agent is told, word for word.', true),
  ],
});

const about = ({ headline }: FormOf): Block => richText(bold(short(headline, headlineCharsMax)));

const reasonInput = (hint: string, required: boolean): InputBlock => ({
  type: 'input',
  block_id: fieldIds.reason,
  label: plain('Reason'),
  hint: plain(hint),
  optional: !required,
  element: {
    type: 'plain_text_input',
    action_id: fieldIds.reason,
    multiline: true,
    ...(required ? { min_length: 1 } : {}),
    max_length: reasonCharsMax,
  },
});
