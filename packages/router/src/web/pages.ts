import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pathOf } from "@datawire/http";
import { findFile, type SiteFile, type Sites, typeOf } from "./sites.ts";

/** What all answers have. What pages of services may load is theirs to say: they are files of this machine's operator. */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "content-security-policy": "object-src 'none'; base-uri 'self'; frame-ancestors 'none'",
};
const LIST_POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What the router itself serves, beside the pages of services. */
const OWN: ReadonlySet<string> = new Set(["datawire.js", "datawire.d.ts", "datawire.css"]);

/** Where files are looked for. */
export interface PageSources {
  readonly sites: Sites;
  /** Finds the folder with the browser library, its types and the style of pages. */
  library(): Promise<string>;
}

/** Answers requests for `/`, `/NAME/…` and `/datawire.js`. */
export async function servePage(
  req: IncomingMessage,
  res: ServerResponse,
  { sites, library }: PageSources,
): Promise<void> {
  if (req.method !== "GET" && req.method !== "HEAD")
    return sendText(res, 405, "pages can only be read", { allow: "GET, HEAD" });
  const path = pathOf(req).slice(1);
  const found = await sites.list();
  const only = found.size === 1 ? [...found.values()][0] : undefined;
  if (OWN.has(path)) {
    const file = await findFile(await library(), path);
    if (file !== null) return sendFile(req, res, file);
    return sendText(res, 404, `${path} is not there: what was installed is not whole`);
  }
  const slash = path.indexOf("/");
  const name = slash === -1 ? path : path.slice(0, slash);
  const folder = found.get(name);
  if (folder !== undefined && slash === -1) return redirect(res, `${name}/`);
  const file =
    folder !== undefined
      ? await findFile(folder, path.slice(slash + 1))
      : only === undefined
        ? null
        : await findFile(only, path);
  if (file !== null) return sendFile(req, res, file);
  if (path === "") return sendList(req, res, [...found.keys()]);
  return sendText(res, 404, "there is no such page");
}

function sendFile(req: IncomingMessage, res: ServerResponse, file: SiteFile): void {
  const etag = `W/"${file.bytes.toString(36)}-${Math.round(file.modifiedMs).toString(36)}"`;
  const headers = { ...HEADERS, "cache-control": "no-cache", etag };
  if (req.headers["if-none-match"] === etag) return void res.writeHead(304, headers).end();
  res.writeHead(200, { ...headers, "content-type": typeOf(file.path), "content-length": file.bytes });
  if (req.method === "HEAD") return void res.end();
  // `end`: one that grows meanwhile would be longer than what was said.
  const read = createReadStream(file.path, { end: Math.max(0, file.bytes - 1) });
  read.on("error", () => res.destroy());
  res.on("close", () => read.destroy());
  read.pipe(res);
}

function sendList(req: IncomingMessage, res: ServerResponse, names: readonly string[]): void {
  const items = names.map((name) => `<li><a href="${name}/">${name}</a></li>`).join("\n");
  const none =
    "<p>No service has a page yet. <code>dw service add microlog</code> adds one, with a folder to look into.</p>";
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Services</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="datawire.css">
</head>
<body>
<header><h1>Services</h1></header>
<main>
${names.length === 0 ? none : `<ul class="list">\n${items}\n</ul>`}
</main>
</body>
</html>
`;
  res.writeHead(200, {
    ...HEADERS,
    "content-security-policy": LIST_POLICY,
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
  });
  res.end(req.method === "HEAD" ? undefined : page);
}

const redirect = (res: ServerResponse, location: string): void =>
  void res.writeHead(302, { ...HEADERS, location: `/${location}`, "cache-control": "no-store" }).end();

function sendText(
  res: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, {
    ...HEADERS,
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    ...headers,
  });
  res.end(`${message}\n`);
}
