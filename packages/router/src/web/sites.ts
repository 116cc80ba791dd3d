import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, extname, join, sep } from "node:path";

/** A file of a page. */
export interface SiteFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Service files that are read, and bytes of each. */
const FILES_MAX = 1_000;
const FILE_BYTES_MAX = 262_144;
/** How long a listing holds, so that a crowd of browsers costs no more than one. */
const LOOK_MS = 1_000;

/** `service: //NAME`, at the begin of a line, in a list or in braces. */
const SERVICE = /(?:^|[{,]|-\s)\s*["']?service["']?:\s*["']?(?:\/\/)?(?:[\w.-]+\/)*([a-z0-9_][a-z0-9._-]*)/gm;

/** The pages of services: the folder `web` beside each service file, where there is one. */
export class Sites {
  readonly #folder: string | null;
  readonly #nowMs: () => number;
  #listed: { readonly untilMs: number; readonly sites: Promise<ReadonlyMap<string, string>> } | null = null;

  /** @param folder that of the service files, or of links to them; null for none. */
  constructor(folder: string | null, nowMs: () => number) {
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  /** The folders of all pages, by the names of their services in order. */
  list(): Promise<ReadonlyMap<string, string>> {
    const nowMs = this.#nowMs();
    if (this.#listed === null || nowMs >= this.#listed.untilMs)
      this.#listed = { untilMs: nowMs + LOOK_MS, sites: this.#read() };
    return this.#listed.sites;
  }

  async #read(): Promise<ReadonlyMap<string, string>> {
    const found: [string, string][] = [];
    const folder = this.#folder;
    const names = folder === null ? [] : await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => /\.ya?ml$/.test(one)).slice(0, FILES_MAX)) {
      // A link leads to the file, and the page is beside that.
      const file = await realpath(join(folder ?? "", name)).catch(() => null);
      if (file === null) continue;
      const web = join(dirname(file), "web");
      const [page, settings] = await Promise.all([stat(join(web, "index.html")).catch(() => null), stat(file)]);
      if (page === null || settings.size > FILE_BYTES_MAX) continue;
      const text = await readFile(file, "utf8").catch(() => "");
      for (const [, service = ""] of text.matchAll(SERVICE)) found.push([service, web]);
    }
    return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** A file below a folder by the path of a URL, `index.html` for a folder; null where there is none, or it lies outside. */
export async function findFile(folder: string, path: string): Promise<SiteFile | null> {
  const decoded = decodedPath(path);
  if (decoded === null || decoded.split("/").some((part) => part.startsWith(".") || /[\\\0]/.test(part))) return null;
  const asked = join(folder, decoded.endsWith("/") || decoded === "" ? `${decoded}index.html` : decoded);
  const [root, file] = await Promise.all([folder, asked].map((one) => realpath(one).catch(() => null)));
  if (root == null || file == null || !file.startsWith(root + sep)) return null;
  const found = await stat(file).catch(() => null);
  return found?.isFile() === true ? { path: file, bytes: found.size, modifiedMs: found.mtimeMs } : null;
}

function decodedPath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

const TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".ts", "text/plain; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json; charset=utf-8"],
  [".txt", "text/plain; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".webp", "image/webp"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
  [".wasm", "application/wasm"],
]);

/** The media type of a file by its name. */
export const typeOf = (path: string): string => TYPES.get(extname(path).toLowerCase()) ?? "application/octet-stream";
