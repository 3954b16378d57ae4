/** Restores a backup from a process of its own, as the command line does: FOLDER FILE. Prints the result as JSON. */
import { restoreSqlite } from '../../src/store/restore.ts';

const [directory = '', file = ''] = process.argv.slice(2);
console.log(JSON.stringify(await restoreSqlite({ directory, file, channels: ['web', 'hook'] })));
