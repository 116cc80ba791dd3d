import type { IncomingMessage, ServerResponse } from "node:http";
import { type ErrorBody, type ErrorCode, httpStatus, ProtocolError } from "@datawire/protocol";
import { check, describeError, type Logger, pathOf } from "@datawire/runtime";
import type { z } from "zod";
import { type Grant, requireRight } from "../access/core/grant.ts";
import type { Right } from "../access/core/rights.ts";
import { type Permit, refusalHeaders } from "../access/gate.ts";
import type { Author } from "../desk.ts";
import { StoreError } from "../store/contract.ts";
import { discardRest, FILE_TYPE, readFileBody, readJson } from "./body.ts";

/** A request to one endpoint, as its handler sees it. */
export interface ApiRequest {
  /** The parts of the path that the endpoint's pattern leaves open, decoded. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly author: Author;
  readonly grant: Grant;
  /** Reads the body. @throws ProtocolError that names every field that is wrong. */
  body<S extends z.ZodType>(schema: S): Promise<z.output<S>>;
  /** Reads a body that is a file. */
  file(bytesMax: number): Promise<Uint8Array>;
}

/** An answer that is a file instead of JSON. */
export class FileAnswer {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** One endpoint. What its handler returns is the JSON answer; what it throws is the error. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `*` stands for one segment: `/v1/services/*`. */
  readonly path: string;
  /** What it takes; default: `read` for GET, `change` for all else. */
  readonly right?: Right;
  handle(request: ApiRequest): unknown;
}

interface RouterDeps {
  readonly log: Logger;
  readonly refused: (code: ErrorCode) => void;
}

/** Answers requests of those who were let in. */
export type Router = (req: IncomingMessage, res: ServerResponse, permit: Permit) => Promise<void>;

/** Answers requests by the endpoint that takes them, and every other request by an error. */
export function createRouter(endpoints: readonly Endpoint[], { log, refused }: RouterDeps): Router {
  return async (req, res, { grant }) => {
    try {
      const { endpoint, params } = find(endpoints, req);
      const right = endpoint.right ?? (endpoint.method === "GET" ? "read" : "change");
      requireRight(grant, right, `${endpoint.method} ${pathOf(req).slice(0, 200)}`);
      const answer = await endpoint.handle({
        params,
        query: new URLSearchParams((req.url ?? "").split("?", 2)[1] ?? ""),
        author: authorOf(req, grant),
        grant,
        body: async (schema) => checked(schema, await readJson(req)),
        file: (bytesMax) => readFileBody(req, bytesMax),
      });
      if (answer instanceof FileAnswer) sendFile(res, answer);
      else sendJson(res, 200, answer);
      discardRest(req);
    } catch (error) {
      answerError(error, { req, res, log, refused });
    }
  };
}

/** Answers with what went wrong. */
export function answerError(
  error: unknown,
  { req, res, log, refused }: RouterDeps & { readonly req: IncomingMessage; readonly res: ServerResponse },
): void {
  const { status, body, headers } = answerTo(error);
  refused(body.error.code);
  if (body.error.code === "internal") log.error("Request failed", { method: req.method, path: pathOf(req), error });
  sendJson(res, status, body, headers);
  discardRest(req);
}

/** Answers with JSON. */
function sendJson(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers });
  res.end(`${JSON.stringify(body)}\n`);
}

function sendFile(res: ServerResponse, { bytes }: FileAnswer): void {
  res.writeHead(200, { "content-type": FILE_TYPE, "content-length": bytes.length, "cache-control": "no-store" });
  res.end(bytes);
}

/** A request to a path that is known, by a method that is not. */
class MethodError extends ProtocolError {
  readonly allow: string;

  constructor(method: string, path: string, allow: string) {
    super("unsupported", `Cannot ${method} ${path}: wanted ${allow}`);
    this.allow = allow;
  }
}

function find(endpoints: readonly Endpoint[], req: IncomingMessage): { endpoint: Endpoint; params: string[] } {
  const path = pathOf(req);
  const method = req.method === "HEAD" ? "GET" : (req.method ?? "GET");
  const there = endpoints.flatMap((endpoint) => {
    const params = match(endpoint.path, path);
    return params === null ? [] : [{ endpoint, params }];
  });
  const found = there.find(({ endpoint }) => endpoint.method === method);
  if (found !== undefined) return found;
  if (there.length === 0)
    throw new ProtocolError("not_found", `Cannot find ${path.slice(0, 200)}: there is no such page`);
  throw new MethodError(method, path, there.map(({ endpoint }) => endpoint.method).join(", "));
}

/** The segments that stand where the pattern has `*`; null when the path does not fit. */
function match(pattern: string, path: string): string[] | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params: string[] = [];
  for (const [i, segment] of wanted.entries()) {
    const text = given[i] as string;
    if (segment !== "*") {
      if (segment !== text) return null;
      continue;
    }
    try {
      params.push(decodeURIComponent(text));
    } catch {
      return null;
    }
  }
  return params;
}

/** Who sent a request: as a token proves it, and else by its own word, as `dw` says its user and host. */
function authorOf(req: IncomingMessage, { tokenId, role }: Grant): Author {
  const header = req.headers["x-datawire-user"];
  const said = typeof header === "string" && /^[!-~ ]{1,200}$/.test(header) ? header : null;
  if (tokenId !== null) return { who: `${role} token ${tokenId}${said === null ? "" : ` (${said})`}`, verified: true };
  return { who: said ?? `unknown@${req.socket.remoteAddress ?? "unknown"}`, verified: false };
}

function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const read = check(schema, value);
  if (read.ok) return read.value;
  const why = read.findings.map(({ message }) => message).join("; ");
  throw new ProtocolError("invalid_argument", `Cannot take the request: ${why}`);
}

function answerTo(error: unknown): { status: number; body: ErrorBody; headers?: Record<string, string> } {
  if (error instanceof MethodError)
    return { status: 405, body: bodyOf(error.code, error.message), headers: { allow: error.allow } };
  if (error instanceof ProtocolError)
    return {
      status: httpStatus(error.code),
      body: bodyOf(error.code, error.message),
      headers: refusalHeaders(error),
    };
  if (error instanceof StoreError && error.code === "damaged")
    return { status: 400, body: bodyOf("invalid_argument", error.message) };
  if (error instanceof StoreError && error.code === "uncertain")
    return { status: 503, body: bodyOf("unavailable", `${describeError(error)}; look before trying again`) };
  if (error instanceof StoreError)
    return { status: 503, body: bodyOf("unavailable", `${describeError(error)}; nothing was changed`) };
  return { status: 500, body: bodyOf("internal", "Cannot answer: the directory failed; its log says how") };
}

const bodyOf = (code: ErrorCode, message: string): ErrorBody => ({ error: { code, message } });
