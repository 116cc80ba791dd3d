import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { endpoints } from "@datawire/api";
import { jsonAnswer, type WholeAnswer } from "@datawire/http";
import { ProtocolError } from "@datawire/protocol";
import {
  type LogsPage,
  logsQuestion,
  mergeLogPages,
  mergeTracePages,
  mergeTraceParts,
  type Question,
  readFlag,
  type TracePage,
  type TracesPage,
  traceKey,
  tracesQuestion,
} from "@datawire/telemetry";
import type { z } from "zod";
import type { AskedTopic } from "../live/topic.ts";
import type { ApiContext } from "./context.ts";
import { take } from "./otlp/take.ts";
import { bindRaw, type BoundEndpoint, type RawBodyRequest } from "./router.ts";

type TracesContext = Pick<ApiContext, "telemetry" | "peerTraces" | "clock">;

/** Traces and logs: what is said of them, and what is asked. */
export function traceEndpoints(context: TracesContext): BoundEndpoint[] {
  return [
    bindRaw(endpoints.listTraces, (request) => listTraces(context, request)),
    bindRaw(endpoints.listLogs, (request) => listLogs(context, request)),
    bindRaw(endpoints.showTrace, (request) => showTrace(context, request)),
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
): Promise<WholeAnswer> {
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
): Promise<WholeAnswer> {
  const { clock, peerTraces } = context;
  const question = logsQuestion(query, clock.nowMs());
  const own = await list(context, grant.tenant, question);
  if (isLocal(query) || peerTraces.isAlone) return withMissing(own, []);
  const { answers, missing } = await peerTraces.ask(req, (client) =>
    client.ask(endpoints.listLogs, { query: { ...query, local: "true" } }),
  );
  return jsonOf({ ...mergeLogPages([parsed(own) as LogsPage, ...answers], question), missing });
}

/** All that is known of one trace, by this directory and the others on its store. */
async function showTrace(
  context: TracesContext,
  { req, query, grant, params: { trace } }: RawBodyRequest<"/{trace}", z.output<typeof endpoints.showTrace.query>>,
): Promise<WholeAnswer> {
  const { telemetry, peerTraces } = context;
  const known = knownOf(req);
  const question = { of: "trace", trace: traceKey(trace) } as const;
  if (isLocal(query) || peerTraces.isAlone) {
    const found = await telemetry.ask(grant.tenant, { ...question, known });
    if (found.state === "refused") throw new ProtocolError(found.code, found.message);
    if (found.state === "unchanged") return unchanged(found.revision);
    if (found.json === null) throw nothingOf(trace, []);
    return withRevision(jsonAnswer(found.json), found.revision);
  }
  const own = await find(context, grant.tenant, question);
  const { answers, missing } = await peerTraces.ask(req, (client) =>
    client.ask(endpoints.showTrace, { params: { trace }, query: { local: "true" } }),
  );
  const [first, ...others] = [...(own === null ? [] : [parsed(own) as TracePage]), ...answers];
  if (first === undefined) throw nothingOf(trace, missing);
  const answer = jsonOf(mergeTraceParts([first, ...others], missing.length === 0));
  const revision = createHash("sha256").update(answer.body).digest("base64url");
  return known.includes(revision) ? unchanged(revision) : withRevision(answer, revision);
}

/** The revisions that whoever asks has (RFC 9110, section 13.1.2): those in between may have made them weak ones. */
function knownOf({ headers: { "if-none-match": text = "" } }: Pick<IncomingMessage, "headers">): string[] {
  return text
    .slice(0, IF_NONE_MATCH_MAX)
    .split(",")
    .map((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, "$1"));
}

const IF_NONE_MATCH_MAX = 1_000;

const withRevision = (answer: WholeAnswer, revision: string | undefined): WholeAnswer =>
  revision === undefined ? answer : { ...answer, headers: { etag: `"${revision}"` } };

const unchanged = (revision: string): WholeAnswer => ({
  status: 304,
  type: "",
  body: new Uint8Array(),
  headers: { etag: `"${revision}"` },
});

const isLocal = ({ local }: { readonly local?: string | undefined }): boolean => readFlag("local", local);

/** What was found, with what was lost. */
async function list(context: TracesContext, tenant: string | null, question: Question): Promise<Uint8Array> {
  const json = await find(context, tenant, question);
  return extended(json ?? Buffer.from("{}"), { dropped: context.telemetry.lost(tenant) });
}

const withMissing = (json: Uint8Array, missing: readonly string[]): WholeAnswer =>
  jsonAnswer(extended(json, { missing }));

/** An object in JSON with more fields, without being read anew: it has some already. */
const extended = (json: Uint8Array, more: object): Uint8Array =>
  Buffer.concat([json.subarray(0, -1), Buffer.from(`,${JSON.stringify(more).slice(1)}`)]);

/** What this directory has just written itself. */
const parsed = (json: Uint8Array): unknown => JSON.parse(Buffer.from(json).toString());

const jsonOf = (value: object): WholeAnswer => jsonAnswer(Buffer.from(JSON.stringify(value)));

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
  return found.state === "found" ? found.json : null;
}
