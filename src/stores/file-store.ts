import type * as Sqlite from 'node:sqlite';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BackendError, FormatError, SnapshotError } from '../errors.ts';
import type { RevertibleStore } from './store.ts';

export interface FileStoreOptions {
  /** Bytes of the file that stay in memory; 32 MiB. */
  readonly cacheBytes?: number;
}

/** A store in a file. */
export interface FileStore extends RevertibleStore {
  /** Keys in it, those that begin with NUL aside: they are not a sensor's. Looks at all of them. */
  size(): number;
  /** Nothing can be asked of it afterwards. Without it nothing is lost either. */
  close(): void;
}

/** Of the layout; kept in the file. */
const VERSION = 1;

/**
 * A store in one file (SQLite, with a write-ahead log beside it), for millions of states in bounded memory. A crash of
 * the process at any instant costs nothing that was set before; a power cut nothing that was set before the last `mark`.
 * One process a file.
 *
 * A state carries the number of the mark that will follow it, so going back is deleting what has a later one; of each key
 * the states stay that a mark in use can reach.
 *
 * @throws BackendError on a Node without SQLite; FormatError for a file that is none of these.
 * @example
 * const store = await openFileStore('pumps.states');
 * records.pipe(keyed(id, model, parameters, { value, store, resident: 50_000 }));
 */
export async function openFileStore(path: string, options: FileStoreOptions = {}): Promise<FileStore> {
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(path);
  try {
    return new SqliteStore(path, database, options);
  } catch (cause) {
    database.close();
    throw cause instanceof FormatError
      ? cause
      : new FormatError(
          `${path} can't be used as a store of states: ${(cause as Error).message}; give another name, or remove it`,
          { cause },
        );
  }
}

async function loadSqlite(): Promise<typeof Sqlite> {
  try {
    return await import('node:sqlite');
  } catch (cause) {
    throw new BackendError(
      `a store in a file needs Node 22.13 or later, which has SQLite built in; this is ${process.version}`,
      { cause },
    );
  }
}

class SqliteStore implements FileStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #prune: StatementSync;
  /** Of the last mark. What is set now belongs to the next. */
  #mark: number;
  /** The transaction that is open: settles when it has ended. */
  #open: { readonly done: Promise<void>; end(): void } | undefined;

  constructor(path: string, database: DatabaseSync, { cacheBytes = 32 * 2 ** 20 }: FileStoreOptions) {
    this.#path = path;
    this.#database = database;
    const version = database.prepare('PRAGMA user_version').get() as { user_version: number };
    const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number };
    if (version.user_version !== (tables.count === 0 ? 0 : VERSION)) {
      throw new FormatError(
        `${path} is a database of something else (version ${version.user_version}, wanted ${VERSION}); give another name`,
      );
    }
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -${Math.ceil(cacheBytes / 1024)};
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS states (key TEXT NOT NULL, mark INTEGER NOT NULL, state BLOB, PRIMARY KEY (key, mark));
      CREATE TABLE IF NOT EXISTS marks (mark INTEGER PRIMARY KEY, name TEXT NOT NULL);
      PRAGMA user_version = ${VERSION};
      COMMIT;
    `);
    this.#mark =
      (database.prepare('SELECT max(mark) AS last FROM marks').get() as { last: number | null }).last ?? 0;
    this.#get = database.prepare('SELECT state FROM states WHERE key = ? ORDER BY mark DESC LIMIT 1');
    this.#set = database.prepare(
      'INSERT INTO states VALUES (?, ?, ?) ON CONFLICT (key, mark) DO UPDATE SET state = excluded.state',
    );
    // Whoever goes back goes to the last mark or, where that never came to its checkpoint, to the one before.
    this.#prune = database.prepare(
      'DELETE FROM states WHERE key = ?1 AND mark < (SELECT max(mark) FROM states WHERE key = ?1 AND mark < ?2)',
    );
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const row = this.#get.get(key) as { state: Uint8Array | null } | undefined;
    return row?.state ?? undefined;
  }

  set(key: string, state: Uint8Array): Promise<void> {
    return this.#put(key, state);
  }

  delete(key: string): Promise<void> {
    return this.#put(key, null);
  }

  async mark(): Promise<string> {
    this.#open?.end();
    const name = crypto.randomUUID();
    // The log is one file: bringing this line to the disk brings everything before it there.
    this.#database.exec(`
      PRAGMA synchronous = FULL;
      BEGIN IMMEDIATE;
      INSERT INTO marks VALUES (${this.#mark + 1}, '${name}');
      DELETE FROM marks WHERE mark < ${this.#mark};
      COMMIT;
      PRAGMA synchronous = NORMAL;
    `);
    this.#mark += 1;
    return name;
  }

  async revert(name: string | undefined): Promise<void> {
    this.#open?.end();
    const mark =
      name === undefined
        ? 0
        : (
            this.#database.prepare('SELECT mark FROM marks WHERE name = ?').get(name) as
              { mark: number } | undefined
          )?.mark;
    if (mark === undefined) {
      throw new SnapshotError(
        `${this.#path} knows no mark ${name}: it is another store, or of another moment; ` +
          'put the one back that belongs to the checkpoint, or remove both to start from the beginning',
      );
    }
    this.#database.exec(`
      BEGIN IMMEDIATE;
      DELETE FROM states WHERE mark > ${mark};
      DELETE FROM marks WHERE mark > ${mark};
      COMMIT;
    `);
    this.#mark = mark;
  }

  size(): number {
    const row = this.#database
      .prepare(
        "SELECT count(DISTINCT key) AS count FROM states WHERE state IS NOT NULL AND (key = '' OR key >= char(1))",
      )
      .get() as { count: number };
    return row.count;
  }

  close(): void {
    this.#open?.end();
    this.#database.close();
  }

  async #put(key: string, state: Uint8Array | null): Promise<void> {
    const { done } = (this.#open ??= this.#begin());
    this.#set.run(key, this.#mark + 1, state);
    this.#prune.run(key, this.#mark);
    await done;
  }

  /** What is set in one turn of the event loop is one transaction. */
  #begin(): { readonly done: Promise<void>; end(): void } {
    this.#database.exec('BEGIN IMMEDIATE');
    let end = (): void => {};
    const done = new Promise<void>((resolve, reject) => {
      end = () => {
        this.#open = undefined;
        clearImmediate(soon);
        try {
          this.#database.exec('COMMIT');
          resolve();
        } catch (error) {
          this.#database.exec('ROLLBACK');
          reject(error as Error);
        }
      };
      const soon = setImmediate(() => end());
    });
    return { done, end: () => end() };
  }
}
