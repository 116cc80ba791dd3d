import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { endpoints } from "@datawire/api";
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
import type { ApiContext } from "../context.ts";
import type { RawAnswer, RawBodyRequest } from "../router.ts";

/** What traces and logs are found by. */
export type TracesContext = Pick<ApiContext, "telemetry" | "peerTraces" | "clock">;

/** A question, with who asks it. */
export type Asked<Query> = Pick<RawBodyRequest<string, Query>, "req" | "query" | "grant">;

/** Traces, the newest first: of this directory and of the others on its store. */
export async function listTraces(
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

/** Log events, the newest first: of this directory and of the others on its store. */
export async function listLogs(
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

/** All that is known of one trace, by this directory and the others on its store. */
export async function showTrace(
  context: TracesContext,
  { req, query, grant, params: { trace } }: RawBodyRequest<"/{trace}", z.output<typeof endpoints.showTrace.query>>,
): Promise<RawAnswer> {
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

const withRevision = (answer: RawAnswer, revision: string | undefined): RawAnswer =>
  revision === undefined ? answer : { ...answer, headers: { etag: `"${revision}"` } };

const unchanged = (revision: string): RawAnswer => ({
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

const withMissing = (json: Uint8Array, missing: readonly string[]): RawAnswer =>
  jsonAnswer(extended(json, { missing }));

/** An object in JSON with more fields, without being read anew: it has some already. */
const extended = (json: Uint8Array, more: object): Uint8Array =>
  Buffer.concat([json.subarray(0, -1), Buffer.from(`,${JSON.stringify(more).slice(1)}`)]);

/** What this directory has just written itself. */
export const parsed = (json: Uint8Array): unknown => JSON.parse(Buffer.from(json).toString());

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
  return found.state === "found" ? found.json : null;
}

const jsonAnswer = (body: Uint8Array): RawAnswer => ({ status: 200, type: "application/json; charset=utf-8", body });
