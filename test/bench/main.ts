/**
 * statewave beside its peers, in one process and in turns: `npm run bench -- --help`.
 */
import { contests } from './contests/index.ts';
import { readOptions, USAGE } from './options.ts';
import { installPeers } from './peers/install.ts';
import { printContest } from './report/table.ts';
import { runContest } from './run-contest.ts';

const options = readOptions(process.argv.slice(2));
if (options === undefined) console.log(USAGE);
else {
  installPeers();
  for (const contest of contests.filter(({ name }) => options.only?.test(name) ?? true)) {
    const { rows, skips } = await runContest(contest, options.effort);
    printContest(contest.name, rows, skips);
  }
}
