/**
 * `mcp SERVER --url URL`: a stdio MCP server for agents that know only stdio. It speaks to a running gate and decides nothing;
 * stdout belongs to the protocol, so that everything else goes to stderr.
 */
import { runBridge } from '../enforce/mcp/bridge.ts';
import { wordsOf, type Command } from './command.ts';
import { gateUrl, tokenOf, urlOption } from './files.ts';

export const mcpCommand: Command = {
  name: 'mcp',
  summary: 'A stdio MCP server that speaks to a running gate.',
  usage: ['mcp SERVER [--url URL]'],
  options: { url: urlOption },
  details: [
    'For agents that start their MCP servers by command: put this command in the agent’s configuration, and the agent’s token',
    'in COUNTERSIGN_TOKEN in its environment (countersign token agent ID).',
  ],
  run: async (args, io) => {
    const [server = ''] = wordsOf(args, ['SERVER']);
    const token = tokenOf(io, 'It is the agent’s token: countersign token agent ID --config FILE');
    return runBridge({ url: gateUrl(args, io), server, token });
  },
};
