import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type DeepReadonly,
  type Endpoint,
  FILE_TYPE,
  matchPath,
  type ParamOf,
  type QueryShape,
  rightOf,
} from "@datawire/api";
import { type ErrorBody, type ErrorCode, httpStatus, ProtocolError } from "@datawire/protocol";
import {
  discardRest,
  errorBody,
  pathOf,
  jsonAnswer,
  readFileBody,
  sendJson,
  sendWhole,
  takesGzip,
  type WholeAnswer,
} from "@datawire/http";
import { describeError, type Logger } from "@datawire/runtime";
import type { z } from "zod";
import { type Grant, requireRight } from "../access/grant.ts";
import { type Permit, refusalHeaders } from "../access/gate.ts";
import type { Author } from "../changes/author.ts";
import type { Position } from "../feed/delta-log.ts";
import { NotThereError, StoreError } from "../store/contract.ts";
import { seenBy } from "../live/seen-by.ts";
import { readAsked, readQuery } from "./asked.ts";

/** A request to an endpoint, read: what its handler sees. */
export interface ApiRequest<Path extends string, Query, Body> {
  /** What stands for the names in the path. */
  readonly params: Readonly<Record<ParamOf<Path>, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly author: Author;
  readonly grant: Grant;
  /** Of a change, the table that whoever wants it has seen (`If-Match`); null where that does not matter. */
  readonly seen: Position | null;
}

/** An endpoint with what answers it. What its handler returns is the answer of 200; what it throws is the error. */
export interface BoundEndpoint {
  readonly endpoint: Endpoint;
  handle(request: RawRequest): Promise<Answered>;
}

/** What a handler makes of a request: JSON, a file, or an answer as it is to be sent. */
type Answered =
  | { readonly json: unknown }
  | { readonly file: Iterable<Uint8Array> }
  | { readonly raw: WholeAnswer }
  | { readonly stream: (res: ServerResponse) => void };

/** A request that was let in, and of which nothing but the path is read. */
interface RawRequest {
  readonly req: IncomingMessage;
  readonly params: Readonly<Record<string, string>>;
  readonly author: Author;
  readonly grant: Grant;
  readonly permit: Permit;
}

type MaybePromise<T> = T | Promise<T>;

/** Binds a handler to an endpoint of JSON. */
export function bind<
  const Path extends string,
  Answer extends z.ZodType,
  Query extends QueryShape = z.ZodObject<{}>,
  Body extends z.ZodType = z.ZodUndefined,
>(
  endpoint: Endpoint & {
    readonly path: Path;
    readonly query?: Query;
    readonly body?: Body;
    readonly answer: Answer;
  },
  handle: (request: ApiRequest<Path, z.output<Query>, z.output<Body>>) => MaybePromise<DeepReadonly<z.input<Answer>>>,
): BoundEndpoint {
  return {
    endpoint,
    async handle({ req, params, author, grant }) {
      const { query, body } = await readAsked(endpoint, req);
      // Its types are those of the schemas that have just read it.
      const seen = seenBy(req);
      const request = { params, query, body, author, grant, seen } as ApiRequest<Path, z.output<Query>, z.output<Body>>;
      return { json: await handle(request) };
    },
  };
}

/** Binds a handler to an endpoint whose answer is a file, made as it is sent. */
export function bindDownload(
  endpoint: Endpoint & { readonly answer: "file" },
  handle: () => Promise<Iterable<Uint8Array>>,
): BoundEndpoint {
  return { endpoint, handle: async () => ({ file: await handle() }) };
}

/** Binds a handler to an endpoint whose body is a file of a bounded length. */
export function bindUpload<Answer extends z.ZodType>(
  endpoint: Endpoint & { readonly body: "file"; readonly answer: Answer },
  { bytesMax }: { readonly bytesMax: number },
  handle: (file: AsyncIterable<Uint8Array>, author: Author) => Promise<DeepReadonly<z.input<Answer>>>,
): BoundEndpoint {
  return {
    endpoint,
    async handle({ req, author }) {
      readQuery(endpoint, req);
      return { json: await handle(readFileBody(req, { type: FILE_TYPE, bytesMax }), author) };
    },
  };
}

/** A request of which the body is not read yet. */
export interface RawBodyRequest<Path extends string, Query> extends Omit<
  ApiRequest<Path, Query, undefined>,
  "body" | "seen"
> {
  readonly req: IncomingMessage;
}

/** Binds a handler that reads the body and makes the answer by itself. */
export function bindRaw<const Path extends string, Query extends QueryShape = z.ZodObject<{}>>(
  endpoint: Endpoint & { readonly path: Path; readonly query?: Query },
  handle: (request: RawBodyRequest<Path, z.output<Query>>) => Promise<WholeAnswer>,
): BoundEndpoint {
  return {
    endpoint,
    async handle({ req, params, author, grant }) {
      const query = readQuery(endpoint, req);
      // Its types are those of the schema that has just read it.
      return { raw: await handle({ req, params, query, author, grant } as RawBodyRequest<Path, z.output<Query>>) };
    },
  };
}

/** A request for what goes on until its connection ends, or what let it in does. */
export interface StreamRequest<Query> {
  readonly req: IncomingMessage;
  readonly query: Query;
  readonly permit: Permit;
}

/** Binds a handler to an endpoint that answers with Server-Sent Events; the function it returns writes them. */
export function bindStream<Query extends QueryShape>(
  endpoint: Endpoint & { readonly answer: "events"; readonly query: Query },
  handle: (request: StreamRequest<z.output<Query>>) => (res: ServerResponse) => void,
): BoundEndpoint {
  return {
    endpoint,
    async handle({ req, permit }) {
      const query = readQuery(endpoint, req) as z.output<Query>;
      return { stream: handle({ req, query, permit }) };
    },
  };
}

interface RouterDeps {
  readonly log: Logger;
  readonly refused: (code: ErrorCode) => void;
  /** Told what the directory itself failed at, and how. */
  readonly failed: (what: string, error: unknown) => void;
}

/** Answers requests of those who were let in; rejects with NotThereError alone, and has answered nothing then. */
export type Router = (req: IncomingMessage, res: ServerResponse, permit: Permit) => Promise<void>;

/** Answers requests by the endpoint that takes them, and every other request by an error. */
export function createRouter(endpoints: readonly BoundEndpoint[], deps: RouterDeps): Router {
  return async (req, res, permit) => {
    const { grant } = permit;
    // What others wrote is in answers: no browser is to take one for a page (fetch.spec.whatwg.org, "X-Content-Type-Options").
    res.setHeader("x-content-type-options", "nosniff");
    try {
      const { bound, params } = find(endpoints, req);
      const { method } = bound.endpoint;
      const right = rightOf(bound.endpoint);
      if (right !== "none") requireRight(grant, right, `${method} ${pathOf(req).slice(0, 200)}`);
      const answer = await bound.handle({ req, params, author: authorOf(req, grant), grant, permit });
      if ("file" in answer) await sendFile(res, answer.file);
      else if ("raw" in answer) await sendRaw(req, res, answer.raw);
      else if ("stream" in answer) return sendStream(req, res, answer.stream);
      else await sendWhole(req, res, jsonAnswer(Buffer.from(`${JSON.stringify(answer.json)}\n`)));
      discardRest(req);
    } catch (error) {
      // Whoever knows how to make it asks again.
      if (error instanceof NotThereError) throw error;
      answerError(error, { req, res, ...deps });
    }
  };
}

/** Answers with what went wrong. */
export function answerError(
  error: unknown,
  { req, res, log, refused, failed }: RouterDeps & { readonly req: IncomingMessage; readonly res: ServerResponse },
): void {
  const { status, body, headers } = answerTo(error);
  refused(body.error.code);
  if (body.error.code === "internal") {
    log.error("Request failed", { method: req.method, path: pathOf(req), error });
    failed(`${req.method} ${pathOf(req).slice(0, 200)}`, error);
  }
  sendJson(res, status, body, headers);
  discardRest(req);
}

/** Resolves once all is sent; who breaks off has what came until then, which is no whole file. */
async function sendFile(res: ServerResponse, parts: Iterable<Uint8Array>): Promise<void> {
  res.writeHead(200, { "content-type": FILE_TYPE, "cache-control": "no-store" });
  await pipeline(Readable.from(parts), res).catch(() => res.destroy());
}

function sendStream(req: IncomingMessage, res: ServerResponse, write: (res: ServerResponse) => void): void {
  // A proxy in front would wait for more before it passes anything on (nginx, "X-Accel-Buffering").
  const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
  res.writeHead(200, { ...headers, vary: "Accept-Encoding", ...(takesGzip(req) && { "content-encoding": "gzip" }) });
  // A body is let pass, however long it is: to cut it off would end the stream.
  req.resume();
  if (req.method === "HEAD") return void res.end();
  res.flushHeaders();
  write(res);
}

async function sendRaw(req: IncomingMessage, res: ServerResponse, answer: WholeAnswer): Promise<void> {
  const { status, headers } = answer;
  if (status !== 204 && status !== 304) return sendWhole(req, res, answer);
  res.writeHead(status, { "cache-control": "no-store", ...headers }).end();
}

/** A request to a path that is known, by a method that is not. */
class MethodError extends ProtocolError {
  readonly allow: string;

  constructor(method: string, path: string, allow: string) {
    super("unsupported", `Cannot ${method} ${path}: wanted ${allow}`);
    this.allow = allow;
  }
}

function find(endpoints: readonly BoundEndpoint[], req: IncomingMessage) {
  const path = pathOf(req);
  const method = req.method === "HEAD" ? "GET" : (req.method ?? "GET");
  const there = endpoints.flatMap((bound) => {
    const params = matchPath(bound.endpoint.path, path);
    return params === null ? [] : [{ bound, params }];
  });
  const found = there.find(({ bound }) => bound.endpoint.method === method);
  if (found !== undefined) return found;
  if (there.length === 0)
    throw new ProtocolError("not_found", `Cannot find ${path.slice(0, 200)}: there is no such page`);
  throw new MethodError(method, path, there.map(({ bound }) => bound.endpoint.method).join(", "));
}

/** Who sent a request: as a token proves it, and else by its own word, as `dw` says its user and host. */
function authorOf(req: IncomingMessage, { tokenId, role }: Grant): Author {
  const header = req.headers["x-datawire-user"];
  const said = typeof header === "string" && /^[!-~ ]{1,200}$/.test(header) ? header : null;
  if (tokenId !== null) return { who: `${role} token ${tokenId}${said === null ? "" : ` (${said})`}`, verified: true };
  return { who: said ?? `unknown@${req.socket.remoteAddress ?? "unknown"}`, verified: false };
}

function answerTo(error: unknown): { status: number; body: ErrorBody; headers?: Record<string, string> } {
  if (error instanceof MethodError)
    return { status: 405, body: errorBody(error.code, error.message), headers: { allow: error.allow } };
  if (error instanceof ProtocolError)
    return {
      status: httpStatus(error.code),
      body: errorBody(error.code, error.message),
      headers: refusalHeaders(error),
    };
  if (error instanceof StoreError && error.code === "damaged")
    return { status: 400, body: errorBody("invalid_argument", error.message) };
  if (error instanceof StoreError && error.code === "uncertain")
    return { status: 503, body: errorBody("unavailable", `${describeError(error)}; look before trying again`) };
  if (error instanceof StoreError)
    return { status: 503, body: errorBody("unavailable", `${describeError(error)}; nothing was changed`) };
  return { status: 500, body: errorBody("internal", "Cannot answer: the directory failed; its log says how") };
}
