import type { IncomingMessage, ServerResponse } from "node:http";
import { type PageHandler, pathOf, takesGzip } from "@datawire/http";
import type { ConsoleFile, ConsoleFolder } from "./console-files.ts";

/** What all answers of the console have: nothing inline, nothing from elsewhere, and nobody shows it in a frame. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

/** Below it is what the console is made of, which holds no data. */
export const CONSOLE_ROOT = "/console/";
/** The screens of one thing, whose name may have what looks like the extension of a file. */
const NAMED = /^(?:services|traces|rollouts|rollout|callers)\/[^/]+$/;
const YEAR_SECONDS = 31_536_000;

const NOT_BUILT = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Mission Control</title></head>
  <body>
    <h1>Mission Control is not built</h1>
    <p>This directory runs from a checkout in which nobody has built its console. There, run</p>
    <pre>node scripts/build-console.ts</pre>
    <p>and load this page again. <code>npm run demo</code> does that by itself, and packages bring it with them.</p>
  </body>
</html>
`;

/**
 * Serves the console below `/console/`, open to all, as it holds no data; and leads there from `/`.
 * @param folder null where the console is turned off.
 */
export function consoleHandler(folder: ConsoleFolder | null): PageHandler {
  return async (req, res) => {
    const path = pathOf(req);
    if (path === "/" && wantsPage(req) && folder !== null) return redirect(req, res);
    if (path === CONSOLE_ROOT.slice(0, -1)) return folder === null ? answerOff(res) : redirect(req, res);
    if (!path.startsWith(CONSOLE_ROOT)) return false;
    if (folder === null) return answerOff(res);
    if (req.method !== "GET" && req.method !== "HEAD")
      return text(res, 405, "the console can only be read", { allow: "GET, HEAD" });
    const below = path.slice(CONSOLE_ROOT.length);
    const files = await folder.files();
    const file = files?.file(below) ?? null;
    if (file !== null) return sendFile(req, res, file);
    if (isFile(below)) return text(res, 404, "the console has no such file");
    if (files === null) {
      res.writeHead(503, { ...HEADERS, "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
      res.end(NOT_BUILT);
      return true;
    }
    return sendFile(req, res, await files.page(baseOf(below)));
  };
}

/** Where `/console/` is from a path below it: `./` there, `../` from `services/barker`. */
export const baseOf = (below: string): string => "../".repeat(below.split("/").length - 1) || "./";

/** Whether a path below `/console/` asks for a file, and not for a screen. */
function isFile(below: string): boolean {
  return /\.[^/]*$/.test(below) && !NAMED.test(below);
}

function sendFile(req: IncomingMessage, res: ServerResponse, file: ConsoleFile): true {
  const lasting = `public, max-age=${YEAR_SECONDS}, immutable`;
  const headers = {
    ...HEADERS,
    "cache-control": file.isLasting ? lasting : "no-cache",
    etag: file.etag,
    vary: "Accept-Encoding",
  };
  if (isKnown(req.headers["if-none-match"], file.etag)) {
    res.writeHead(304, headers).end();
    return true;
  }
  const isZipped = takesGzip(req);
  const bytes = isZipped ? file.gzipped : file.bytes;
  res.writeHead(200, {
    ...headers,
    "content-type": file.type,
    "content-length": bytes.length,
    ...(isZipped && { "content-encoding": "gzip" }),
  });
  res.end(req.method === "HEAD" ? undefined : bytes);
  return true;
}

/** RFC 9110, section 13.1.2: entity tags are compared weakly. */
function isKnown(header: string | undefined, etag: string): boolean {
  const plain = (tag: string): string => tag.trim().replace(/^W\//, "");
  return header !== undefined && header.split(",").some((tag) => tag.trim() === "*" || plain(tag) === plain(etag));
}

function wantsPage({ method, headers: { accept = "" } }: IncomingMessage): boolean {
  return (method === "GET" || method === "HEAD") && /\btext\/html\b/i.test(accept);
}

/** Relative, so that it leads to the right place behind a proxy too. */
function redirect(req: IncomingMessage, res: ServerResponse): true {
  const query = /\?.*$/.exec(req.url ?? "")?.[0] ?? "";
  res.writeHead(302, { ...HEADERS, location: `console/${query}`, "cache-control": "no-store" }).end();
  return true;
}

const answerOff = (res: ServerResponse): true =>
  text(res, 404, "this directory has no console (console: off in directory.yaml)");

function text(
  res: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): true {
  res.writeHead(status, {
    ...HEADERS,
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    ...headers,
  });
  res.end(`${message}\n`);
  return true;
}
