import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onInterrupt } from '../support/interrupt.ts';
import { ServeError, startServer } from './server.ts';

export interface ServeOptions {
  readonly port: number;
  readonly open?: true;
}

/** Serves the page until the command is ended. */
export async function serve({ port, open }: ServeOptions): Promise<void> {
  const { folder, remove } = await pageFolder();
  const { url } = await startServer({ folder, port }).finally(remove);
  console.log(`The page is at ${url} (Ctrl-C ends it). It can be reached from this computer alone.`);
  if (open) openBrowser(url);
  onInterrupt(() => undefined);
}

/** The page as the package brings it, or, in a source tree, built anew: what is served is what the sources say. */
async function pageFolder(): Promise<{ folder: string; remove(): void }> {
  const script = new URL('../../../scripts/build-web.ts', import.meta.url);
  if (existsSync(script) && import.meta.url.endsWith('.ts')) {
    const folder = mkdtempSync(join(tmpdir(), 'statewave-web-'));
    const { buildWeb } = (await import(script.href)) as { buildWeb(folder: string): Promise<void> };
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    await buildWeb(folder).catch((error: unknown) => {
      remove();
      throw error;
    });
    // The server holds the files in memory.
    return { folder, remove };
  }
  const folder = fileURLToPath(new URL('../../../web', import.meta.url));
  if (!existsSync(folder))
    throw new ServeError(`the page is not built (${folder} is missing): npm run build`);
  return { folder, remove: () => undefined };
}

/** By the system's own way; where there is none, the address on the terminal has to do. */
function openBrowser(url: string): void {
  const [command, ...before] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const child = spawn(command!, [...before, url], { stdio: 'ignore', detached: true });
  child.on('error', () => console.error(`No browser opens by itself here; go to ${url}`));
  child.unref();
}
