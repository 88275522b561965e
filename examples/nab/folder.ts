import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the Numenta Anomaly Benchmark is: the folder given, `NAB`, or one beside the project. Says where to get it, and
 * ends the program, where there is none.
 */
export function nabFolder(given: string | undefined): string {
  const beside = fileURLToPath(new URL('../../../NAB', import.meta.url));
  const found = [given, process.env['NAB'], beside].find(
    (folder) => folder !== undefined && existsSync(join(folder, 'labels/combined_windows.json')),
  );
  if (found !== undefined) return found;
  console.log(
    'The Numenta Anomaly Benchmark is not here, so there is nothing to show. Get it (MIT), and give its folder:\n\n' +
      '    git clone --depth 1 https://github.com/numenta/NAB\n',
  );
  process.exit(0);
}
