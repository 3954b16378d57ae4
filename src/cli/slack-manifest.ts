/** The manifest of the Slack app: what setup/slack-manifest.yaml says, for Socket Mode or for HTTP. */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument, stringify, type Document } from 'yaml';

/** In a checkout and in the published package alike, it is two folders up. */
const file = new URL('../../setup/slack-manifest.yaml', import.meta.url);

/** Where Slack calls a gate. */
export const slackPath = '/channels/slack/events';

export interface SlackManifest {
  /** With what each permission is for, as a person reads it. */
  readonly text: string;
  /** Opens Slack's page for a new app with it, so that nothing needs to be copied. */
  readonly link: string;
  /** Of the bot token. */
  readonly scopes: readonly string[];
}

/** @param origin of the gate, without a slash: over HTTP. Null: Socket Mode, where nothing of the gate is reached from outside. */
export function slackManifest(origin: string | null): SlackManifest {
  const document = parseDocument(readFileSync(file, 'utf8'));
  if (origin !== null) {
    const url = `${origin}${slackPath}`;
    // What the file says of Socket Mode stands before its first key.
    const first = isMap(document.contents) ? document.contents.items[0]?.key : undefined;
    if (isScalar(first))
      first.commentBefore = ` The Slack app of the Countersign gate at ${origin}, over HTTP. What to do with it: countersign slack setup --http --url ${origin}`;
    document.setIn(['settings', 'socket_mode_enabled'], false);
    document.setIn(['settings', 'event_subscriptions', 'request_url'], url);
    document.setIn(['settings', 'interactivity', 'request_url'], url);
  }
  const scopes: unknown = document.getIn(['oauth_config', 'scopes', 'bot']);
  return {
    text: document.toString({ lineWidth: 0 }),
    link: `https://api.slack.com/apps?new_app=1&manifest_yaml=${encodeURIComponent(bare(document))}`,
    scopes: JSON.parse(JSON.stringify(scopes ?? [])) as readonly string[],
  };
}

/** Without comments: a link has no reader. */
const bare = (document: Document.Parsed): string => stringify(document.toJS(), { lineWidth: 0 });
