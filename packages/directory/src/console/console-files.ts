import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** A file of the console, ready to be sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
  /** Whether its name has a hash, so that what is under it never changes. */
  readonly isLasting: boolean;
}

/** The page, whose addresses depend on where it is shown, and all other files by their paths. */
export interface ConsoleFiles {
  page(base: string): Promise<ConsoleFile>;
  file(path: string): ConsoleFile | null;
}

/** The page that leads to all else. */
const INDEX = "index.html";
/** More is no console, and would take memory that a directory has for its table. */
const FILES_MAX = 200;
const FILE_BYTES_MAX = 8 * 1024 * 1024;
/** Pages are kept by their depth, which anybody may make up. */
const PAGES_MAX = 8;

const TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json; charset=utf-8"],
  [".map", "application/json; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".png", "image/png"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
  [".txt", "text/plain; charset=utf-8"],
  [".webmanifest", "application/manifest+json"],
]);

const zip = promisify(gzip);

/** Reads the files of a console as they are found in a folder, again whenever they were built anew. */
export class ConsoleFolder {
  readonly #folders: readonly string[];
  #read: { readonly stamp: string; readonly files: Promise<ConsoleFiles> } | null = null;

  /** @param folders the first one that has a page is taken. */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** Null where no console is built. */
  async files(): Promise<ConsoleFiles | null> {
    for (const folder of this.#folders) {
      const index = await stat(join(folder, INDEX)).catch(() => null);
      if (index === null) continue;
      const stamp = `${folder} ${index.mtimeMs} ${index.size}`;
      if (this.#read?.stamp !== stamp) this.#read = { stamp, files: readFiles(folder) };
      const { files } = this.#read;
      // What cannot be read now may be in a moment, as when it is being built.
      files.catch(() => (this.#read = null));
      return files;
    }
    return null;
  }
}

async function readFiles(folder: string): Promise<ConsoleFiles> {
  const index = await readFile(join(folder, INDEX), "utf8");
  const files = new Map<string, ConsoleFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || files.size >= FILES_MAX) continue;
    const path = join(entry.parentPath, entry.name).slice(join(folder, "/").length).replaceAll("\\", "/");
    const { size } = await stat(join(folder, path));
    if (path !== INDEX && size <= FILE_BYTES_MAX)
      files.set(path, await fileOf(path, await readFile(join(folder, path))));
  }
  const pages = new Map<string, ConsoleFile>();
  return {
    file: (path) => files.get(path) ?? null,
    async page(base) {
      const known = pages.get(base);
      if (known !== undefined) return known;
      const made = await fileOf(INDEX, Buffer.from(withBase(index, base)));
      if (pages.size < PAGES_MAX) pages.set(base, made);
      return made;
    },
  };
}

/** Writes into a page what its addresses are relative to. */
const withBase = (page: string, base: string): string => page.replace(/<base href="[^"]*"/, `<base href="${base}"`);

async function fileOf(path: string, bytes: Buffer): Promise<ConsoleFile> {
  return {
    type: TYPES.get(extname(path)) ?? "application/octet-stream",
    bytes,
    gzipped: await zip(bytes, { level: 9 }),
    etag: `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    isLasting: /[-.](?=[\w-]*\d|[\w-]*[A-Z])[\w-]{8,}\.\w+$/.test(path),
  };
}
