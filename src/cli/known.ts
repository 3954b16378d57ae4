/**
 * The profiles of the demo's filesystem server: those of packs/filesystem (test/examples/packs.test.ts keeps the two in step),
 * as code, since the demo reads no packs.
 */
import type { Profile } from '../core/profile.ts';

const file = { type: 'File', id: 'input.path' } as const;
const folder = { type: 'Folder', id: 'input.path' } as const;
const content = { tool: 'read_text_file', input: { path: 'input.path' } } as const;

/** @modelcontextprotocol/server-filesystem, as of 2026.8. */
export const filesystemTools: Readonly<Record<string, Profile>> = {
  read_file: { verb: 'Read', effect: 'read', resource: file, reversible: true },
  read_text_file: { verb: 'Read', effect: 'read', resource: file, reversible: true },
  read_media_file: { verb: 'Read', effect: 'read', resource: file, reversible: true },
  read_multiple_files: { verb: 'Read', effect: 'read', object: 'several files', reversible: true },
  list_directory: { verb: 'List', effect: 'read', resource: folder, reversible: true },
  list_directory_with_sizes: { verb: 'List', effect: 'read', resource: folder, reversible: true },
  directory_tree: { verb: 'List', effect: 'read', resource: folder, reversible: true },
  search_files: { verb: 'Search', effect: 'read', resource: folder, reversible: true },
  get_file_info: { verb: 'Look at', effect: 'read', resource: file, reversible: true },
  list_allowed_directories: { verb: 'List', effect: 'read', object: 'the shared folders', reversible: true },
  write_file: {
    verb: 'Write',
    effect: 'write',
    resource: file,
    reversible: false,
    consequence: 'The file gets this content; what it held before is gone.',
    before: content,
  },
  edit_file: {
    verb: 'Edit',
    effect: 'write',
    resource: file,
    reversible: false,
    consequence: 'The named passages of the file are replaced.',
    before: content,
  },
  create_directory: {
    verb: 'Create',
    effect: 'write',
    resource: folder,
    reversible: true,
    consequence: 'A folder appears; one that exists stays as it is.',
  },
  move_file: {
    verb: 'Move',
    effect: 'write',
    resource: { type: 'File', id: 'input.source' },
    reversible: true,
    consequence: 'The file is no longer where it was.',
    before: { tool: 'get_file_info', input: { path: 'input.source' } },
  },
};
