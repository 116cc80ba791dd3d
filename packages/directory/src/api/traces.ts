import { endpoints, OTLP_TYPES } from "@datawire/api";
import { readBoundedBody } from "@datawire/http";
import { type ErrorCode, httpStatus, ProtocolError } from "@datawire/protocol";
import {
  BODY_BYTES_MAX,
  BUSY,
  type Format,
  type LogsPage,
  logsQuestion,
  mergeLogPages,
  mergeTracePages,
  mergeTraceParts,
  type Question,
  readFlag,
  refusalBody,
  type Signal,
  type TracePage,
  type TracesPage,
  traceKey,
  tracesQuestion,
  type Written,
} from "@datawire/telemetry";
import type { z } from "zod";
import type { AskedTopic } from "../live/topic.ts";
import type { ApiContext } from "./context.ts";
import { bindRaw, type BoundEndpoint, type RawAnswer, type RawBodyRequest } from "./router.ts";

type TracesContext = Pick<ApiContext, "telemetry" | "peerTraces" | "clock">;

/** Traces and logs: what is said of them, and what is asked. */
export function traceEndpoints(context: TracesContext): BoundEndpoint[] {
  const { peerTraces } = context;
  return [
    bindRaw(endpoints.listTraces, (request) => listTraces(context, request)),
    bindRaw(endpoints.listLogs, (request) => listLogs(context, request)),
    bindRaw(endpoints.showTrace, async ({ req, params: { trace }, query, grant }) => {
      const own = await find(context, grant.tenant, { of: "trace", trace: traceKey(trace) });
      if (isLocal(query) || peerTraces.isAlone) {
        if (own !== null) return jsonAnswer(own);
        throw nothingOf(trace, []);
      }
      const { answers, missing } = await peerTraces.ask(req, (client) =>
        client.ask(endpoints.showTrace, { params: { trace }, query: { local: "true" } }),
      );
      const [first, ...others] = [...(own === null ? [] : [parsed(own) as TracePage]), ...answers];
      if (first === undefined) throw nothingOf(trace, missing);
      return jsonOf(mergeTraceParts([first, ...others], missing.length === 0));
    }),
    bindRaw(endpoints.writeTraces, (request) => take(context, "traces", request)),
    bindRaw(endpoints.writeLogs, (request) => take(context, "logs", request)),
    bindRaw(endpoints.writeMetrics, (request) => take(context, "metrics", request)),
  ];
}

type FollowQuery = Omit<z.output<typeof endpoints.stream.query>, "topics" | "instances" | "seconds">;

/** The most events that those who follow are told of at a time. */
const FOLLOWED_MAX = "1000";

/** Follows log events: those there are, and then those that come. */
export function followLogs(context: TracesContext, { req, query, grant }: Asked<FollowQuery>): AskedTopic {
  const { q, service, level, since, limit, instance, trace } = query;
  const chosen = { q, service, level, instance, trace };
  // What is wrong with them is said before the stream begins.
  logsQuestion({ ...chosen, since, limit }, context.clock.nowMs());
  const news = newsOf(context, grant.tenant);
  let tail: string | undefined;
  let isMore = false;
  const ask = async (more: { readonly since?: string; readonly limit?: string; readonly after?: string }) => {
    news.taken();
    const { body } = await listLogs(context, { req, query: { ...chosen, ...more }, grant });
    const page = parsed(body) as Pick<LogsPage, "events"> & Partial<Pick<LogsPage, "tail">>;
    tail = page.tail ?? tail;
    return page;
  };
  const from = { ...(since !== undefined && { since }), ...(limit !== undefined && { limit }) };
  return {
    first: () => ask(from),
    end: news.end,
    async next() {
      if (!isMore && !news.isThere()) return null;
      const before = tail;
      const { events } = await ask(before === undefined ? from : { after: before, limit: FOLLOWED_MAX });
      // An answer ends at its limit, or at the bound of what it looks at: what is behind it is no news any more.
      isMore = tail !== before;
      return events.length === 0 ? null : { changed: events, gone: [] };
    },
  };
}

/** Follows traces: those there are, and then each that is new or has gained something. */
export function followTraces(context: TracesContext, { req, query, grant }: Asked<FollowQuery>): AskedTopic {
  const { q, service, level, since, limit, error, min } = query;
  const chosen = { q, service, level, since, limit, error, min };
  tracesQuestion(chosen, context.clock.nowMs());
  const news = newsOf(context, grant.tenant);
  let known = new Map<string, string>();
  const ask = async () => {
    news.taken();
    const { body } = await listTraces(context, { req, query: chosen, grant });
    const page = parsed(body) as Pick<TracesPage, "traces">;
    const before = known;
    known = new Map(page.traces.map((one) => [one.traceId, JSON.stringify(one)]));
    return { page, changed: page.traces.filter((one) => before.get(one.traceId) !== known.get(one.traceId)) };
  };
  return {
    first: async () => (await ask()).page,
    end: news.end,
    async next() {
      if (!news.isThere()) return null;
      const { changed } = await ask();
      return changed.length === 0 ? null : { changed, gone: [] };
    },
  };
}

/** Whether something has come since it was last asked for: those who look on would else search all the time. */
function newsOf({ telemetry, peerTraces }: TracesContext, tenant: string | null) {
  let hasCome = false;
  let end: (() => void) | null = null;
  return {
    // What comes to the others, this directory is not told.
    isThere: (): boolean => hasCome || !peerTraces.isAlone,
    taken(): void {
      // An order that is refused never comes to this.
      end ??= telemetry.follow(tenant, () => (hasCome = true));
      hasCome = false;
    },
    end: (): void => end?.(),
  };
}

type Asked<Query> = Pick<RawBodyRequest<string, Query>, "req" | "query" | "grant">;

async function listTraces(
  context: TracesContext,
  { req, query, grant }: Asked<z.output<typeof endpoints.listTraces.query>>,
): Promise<RawAnswer> {
  const { clock, peerTraces } = context;
  const question = tracesQuestion(query, clock.nowMs());
  const own = await list(context, grant.tenant, question);
  if (isLocal(query) || peerTraces.isAlone) return withMissing(own, []);
  const { answers, missing } = await peerTraces.ask(req, (client) =>
    client.ask(endpoints.listTraces, { query: { ...query, local: "true" } }),
  );
  return jsonOf({ ...mergeTracePages([parsed(own) as TracesPage, ...answers], question.limit), missing });
}

async function listLogs(
  context: TracesContext,
  { req, query, grant }: Asked<z.output<typeof endpoints.listLogs.query>>,
): Promise<RawAnswer> {
  const { clock, peerTraces } = context;
  const question = logsQuestion(query, clock.nowMs());
  const own = await list(context, grant.tenant, question);
  if (isLocal(query) || peerTraces.isAlone) return withMissing(own, []);
  const { answers, missing } = await peerTraces.ask(req, (client) =>
    client.ask(endpoints.listLogs, { query: { ...query, local: "true" } }),
  );
  return jsonOf({ ...mergeLogPages([parsed(own) as LogsPage, ...answers], question), missing });
}

const isLocal = ({ local }: { readonly local?: string | undefined }): boolean => readFlag("local", local);

/** What was found, with what was lost. */
async function list(context: TracesContext, tenant: string | null, question: Question): Promise<Uint8Array> {
  const json = await find(context, tenant, question);
  return extended(json ?? Buffer.from("{}"), { dropped: context.telemetry.lost(tenant) });
}

const withMissing = (json: Uint8Array, missing: readonly string[]): RawAnswer =>
  jsonAnswer(extended(json, { missing }));

/** An object in JSON with more fields, without being read anew: it has some already. */
const extended = (json: Uint8Array, more: object): Uint8Array =>
  Buffer.concat([json.subarray(0, -1), Buffer.from(`,${JSON.stringify(more).slice(1)}`)]);

/** What this directory has just written itself. */
const parsed = (json: Uint8Array): unknown => JSON.parse(Buffer.from(json).toString());

const jsonOf = (value: object): RawAnswer => jsonAnswer(Buffer.from(JSON.stringify(value)));

function nothingOf(trace: string, missing: readonly string[]): ProtocolError {
  const silent = missing.length === 0 ? "" : `; ${missing.join(", ")} did not answer`;
  return new ProtocolError("not_found", `Cannot show the trace ${trace.slice(0, 200)}: nothing is kept of it${silent}`);
}

async function find(
  { telemetry }: TracesContext,
  tenant: string | null,
  question: Question,
): Promise<Uint8Array | null> {
  const found = await telemetry.ask(tenant, question);
  if (found.state === "refused") throw new ProtocolError(found.code, found.message);
  return found.json;
}

const jsonAnswer = (body: Uint8Array): RawAnswer => ({ status: 200, type: "application/json; charset=utf-8", body });

const PAYLOAD_TOO_LARGE = 413;
const UNSUPPORTED_MEDIA_TYPE = 415;

/** Takes what a client of OTLP/HTTP sends (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Request"). */
async function take(
  { telemetry }: TracesContext,
  signal: Signal,
  { req, grant }: RawBodyRequest<string, unknown>,
): Promise<RawAnswer> {
  const type = (req.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const encoding = (req.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const format = formatOf(type);
  if (format === null) {
    const message = `Cannot take a body of type ${JSON.stringify(type.slice(0, 100))}: wanted ${OTLP_TYPES.protobuf} or ${OTLP_TYPES.json}`;
    return refuse("json", { status: UNSUPPORTED_MEDIA_TYPE, code: "invalid_argument", message });
  }
  if (encoding !== "identity" && encoding !== "gzip") {
    const message = `Cannot take a body packed by ${JSON.stringify(encoding.slice(0, 100))}: wanted gzip, or none`;
    return refuse(format, { status: UNSUPPORTED_MEDIA_TYPE, code: "invalid_argument", message });
  }
  const read = await readBoundedBody(req, { bytesMax: BODY_BYTES_MAX, room: telemetry });
  if (read === "too-large") return answerTo(format, TOO_LARGE);
  if (read === "no-room") return answerTo(format, BUSY);
  try {
    const { bytes } = read;
    const body = { tenant: grant.tenant ?? "", signal, format, gzip: encoding === "gzip", bytes };
    return await answerTo(format, await telemetry.otlp(body));
  } finally {
    read.done();
  }
}

const TOO_LARGE: Written = {
  state: "too-large",
  message: `Cannot take a body of more than ${BODY_BYTES_MAX} bytes; wanted smaller batches`,
};
function formatOf(type: string): Format | null {
  if (type === OTLP_TYPES.protobuf) return "protobuf";
  return type === OTLP_TYPES.json ? "json" : null;
}

function answerTo(format: Format, written: Written): Promise<RawAnswer> | RawAnswer {
  switch (written.state) {
    case "kept":
      return { status: 200, type: OTLP_TYPES[format], body: written.body };
    case "too-large":
      return refuse(format, { status: PAYLOAD_TOO_LARGE, code: "limit_exceeded", message: written.message });
    case "later": {
      const code = written.why === "rate" ? "limit_exceeded" : "unavailable";
      const retryAfter = String(Math.max(1, Math.ceil(written.afterMs / 1_000)));
      return refuse(format, { status: httpStatus(code), code, message: written.message, retryAfter });
    }
    case "refused": {
      const { code, message } = written;
      // What is not there now may be in a moment: who sent it keeps it.
      const again = code === "unavailable" ? { retryAfter: "1" } : {};
      return refuse(format, { status: httpStatus(code), code, message, ...again });
    }
  }
}

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfter?: string;
}

async function refuse(format: Format, { retryAfter, ...refusal }: Refusal): Promise<RawAnswer> {
  const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
  return { status: refusal.status, type: OTLP_TYPES[format], body: await refusalBody(format, refusal), headers };
}
