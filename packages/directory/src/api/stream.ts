import { endpoints } from "@datawire/api";
import { takesGzip } from "@datawire/http";
import { ProtocolError } from "@datawire/protocol";
import { requireRight } from "../access/grant.ts";
import { type AskedTopic, fieldsTopic, rowsTopic, type Topic } from "../live/topic.ts";
import { servicesTopic } from "../live/services-topic.ts";
import type { MakeTopic, Order } from "../live/streams.ts";
import { findingsOf } from "../problems/findings.ts";
import { findRollout } from "../rollouts/commands.ts";
import { listRollout } from "../rollouts/listing.ts";
import { type ApiContext, stamp } from "./context.ts";
import {
  callersAnswer,
  historyAnswer,
  listCallers,
  listServices,
  serviceName,
  serviceRow,
  showService,
  wantsLists,
} from "./reads.ts";
import { bindStream, type BoundEndpoint, type StreamRequest } from "./router.ts";
import { status } from "./status.ts";
import { followLogs, followTraces } from "./traces.ts";
import { edgesOf, readSeconds } from "./traffic.ts";
import type { z } from "zod";

/** The most topics of one stream. */
const TOPICS_MAX = 20;
/** How often what depends on more than the table is looked at. */
const LOOK_MS = 690;
const RATES_MS = 950;
/** There may be a hundred with all their checks. */
const ROLLOUTS_MS = 200;

type Query = z.output<typeof endpoints.stream.query>;

/** `GET /v1/stream`: what consoles follow. */
export function streamEndpoint(context: ApiContext): BoundEndpoint {
  return bindStream(endpoints.stream, (request) => {
    const order = orderOf(context, request);
    context.streams.requireRoom();
    return (res) => context.streams.follow(res, request.permit, order);
  });
}

function orderOf(context: ApiContext, { req, query, permit }: StreamRequest<Query>): Order {
  const names = new Set(
    (query.topics ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  );
  if (names.size === 0) throw new ProtocolError("invalid_argument", `Cannot open a stream: wanted topics=${WANTED}`);
  if (names.size > TOPICS_MAX)
    throw new ProtocolError(
      "invalid_argument",
      `Cannot follow ${names.size} topics at once: wanted ${TOPICS_MAX} at the most`,
    );
  const lists = wantsLists(query.instances);
  const topics = new Map<string, MakeTopic>();
  const asked = new Map<string, AskedTopic>();
  // First, as what is sent after it is of no earlier revision.
  if (names.delete("services"))
    topics.set(keyOf("services", lists ? "" : "none"), (from) => services(context, lists, from));
  for (const name of names) {
    if (name === "traces" || name === "logs") {
      requireRight(permit.grant, "trace", `follow ${name}`);
      const follow = name === "traces" ? followTraces : followLogs;
      asked.set(name, follow(context, { req, query, grant: permit.grant }));
    } else if (name === "map") {
      const seconds = readSeconds(query.seconds, 60);
      topics.set(keyOf(name, String(seconds)), () => map(context, seconds));
    } else topics.set(name, topicOf(context, name));
  }
  const header = req.headers["last-event-id"];
  const resumable = new Set([keyOf("services", ""), keyOf("services", "none")]);
  const lastEventId = typeof header === "string" ? header : null;
  return { topics, asked, lastEventId, isPacked: takesGzip(req), resumable };
}

const WANTED = "status, services, service/NAME, callers, map, rollouts, rollout/ID, history, traces or logs";

/** What is followed in several ways is kept apart by what comes after a blank, which is never sent. */
const keyOf = (name: string, variant: string): string => (variant === "" ? name : `${name} ${variant}`);

function topicOf(context: ApiContext, name: string): MakeTopic {
  if (name.startsWith("service/")) {
    const service = serviceName(context.state, name.slice("service/".length));
    return () => oneService(context, service);
  }
  if (name.startsWith("rollout/")) {
    const id = name.slice("rollout/".length);
    // One that there never was is refused now; it may be forgotten as it is followed.
    const found = findRollout(context.state, id).id;
    return () => oneRollout(context, found);
  }
  const make = TOPICS.get(name);
  if (make !== undefined) return () => make(context);
  throw new ProtocolError("invalid_argument", `Cannot follow ${JSON.stringify(name.slice(0, 100))}: wanted ${WANTED}`);
}

const TOPICS: ReadonlyMap<string, (context: ApiContext) => Topic> = new Map([
  [
    "status",
    (context: ApiContext) =>
      fieldsTopic({
        everyMs: LOOK_MS,
        whole: () => status(context),
        // By that alone nothing has changed.
        compared: (row) => ({ ...row, directory: { ...row.directory, now: "" } }),
      }),
  ],
  [
    "callers",
    (context: ApiContext) =>
      rowsTopic({
        everyMs: LOOK_MS,
        whole: () => callersAnswer(context),
        rows: () => listCallers(context),
        keyOf: ({ id, name }) => id ?? name,
      }),
  ],
  [
    "rollouts",
    (context: ApiContext) =>
      rowsTopic({
        everyMs: ROLLOUTS_MS,
        whole: () => ({ ...stamp(context), rollouts: context.state.rollouts.list().map(listRollout) }),
        rows: () => context.state.rollouts.list().map(listRollout),
        keyOf: ({ id }) => id,
      }),
  ],
  [
    "history",
    (context: ApiContext) =>
      rowsTopic({
        everyMs: 0,
        whole: () => historyAnswer(context, {}),
        rows: () => historyAnswer(context, { limit: "1000" }).history,
        keyOf: ({ id }) => id,
        // Whatever becomes of an entry, there is another one that says so.
        version: () => context.state.history.nextId,
      }),
  ],
]);

function map(context: ApiContext, seconds: number): Topic {
  return rowsTopic({
    everyMs: RATES_MS,
    whole: () => ({ edges: edgesOf(context, seconds) }),
    rows: () => edgesOf(context, seconds),
    version: () => context.counters.version(seconds * 1_000, context.clock.nowMs()),
    keyOf: ({ caller, service }) => `${caller}>${service}`,
  });
}

function services(context: ApiContext, lists: boolean, from?: number): Topic {
  const { state, publisher, traffic, links, clock } = context;
  const source = {
    whole: () => listServices(context, lists ? {} : { instances: "none" }),
    rows(names: readonly string[]) {
      const findings = findingsOf(links.clients());
      return names.map((name) => serviceRow(context, name, { findings, lists }));
    },
    names: () => state.table.serviceNames(),
    traffic: (name: string) => traffic.of(name, clock.nowMs())?.whole ?? null,
    trafficVersion: () => traffic.version(clock.nowMs()),
    extra: () => foundOf(context),
    revision: () => publisher.log.revision,
    after: (revision: number) => publisher.log.after(revision),
  };
  return servicesTopic(source, from);
}

/** What proxies find of instances, by service. */
function foundOf({ links }: ApiContext): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, findings] of findingsOf(links.clients())) {
    const service = key.slice(0, key.indexOf("@"));
    found.set(service, `${found.get(service) ?? ""}${key}${JSON.stringify(findings)}`);
  }
  return found;
}

function oneRollout(context: ApiContext, id: string): Topic {
  const rows = () =>
    context.state.rollouts
      .list()
      .map(listRollout)
      .filter((one) => one.id === id);
  return rowsTopic({
    everyMs: ROLLOUTS_MS,
    whole: () => ({ ...stamp(context), rollouts: rows() }),
    rows,
    keyOf: (row) => row.id,
  });
}

/** One service as its GET answers; one that is not there has no row. */
function oneService(context: ApiContext, name: string): Topic {
  const rows = () => (context.state.table.service(name) === null ? [] : [showService(context, name)]);
  const whole = () => {
    const [row] = rows();
    return row === undefined ? { changed: [], gone: [name] } : { ...stamp(context), ...row };
  };
  return rowsTopic({ everyMs: 0, whole, rows, keyOf: () => name });
}
