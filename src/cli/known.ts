/**
 * Profiles of servers that we know: what their tools do, and which of their reads show a reviewer what is at stake. For the
 * demo, and for `init`, where the operator still confirms every read.
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

/** By the tools that give a server away. */
const known: readonly {
  readonly marks: readonly string[];
  readonly tools: Readonly<Record<string, Profile>>;
}[] = [{ marks: ['list_allowed_directories', 'read_text_file', 'edit_file'], tools: filesystemTools }];

/** The profiles of a known server; undefined for all others. */
export const knownTools = (names: readonly string[]): Readonly<Record<string, Profile>> | undefined =>
  known.find((one) => one.marks.every((mark) => names.includes(mark)))?.tools;
