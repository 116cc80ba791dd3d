import type { ReportedProblem } from "@datawire/protocol";
import { type PageHandler, readOnly, sendJson } from "@datawire/http";
import { VERSION } from "@datawire/runtime";
import type { Peer } from "../wire/peer.ts";
import { linksOf } from "./links.ts";
import { queuesOf, type QueueSources } from "./queues.ts";

/** What a status is made of. */
export interface StatusSources extends QueueSources {
  readonly host: string;
  /** Whose table the router follows; null without a tenant. */
  readonly tenant: () => string | null;
  readonly peers: Iterable<Peer>;
  readonly problems: () => readonly ReportedProblem[];
}

/** `/v1/status`: `{ host, version, queues, links, problems }`. */
export function statusHandler(sources: StatusSources): PageHandler {
  return readOnly("/v1/status", (_req, res) => {
    const queues = queuesOf(sources);
    const links = linksOf(sources, queues);
    sendJson(res, 200, { host: sources.host, version: VERSION, queues, links, problems: sources.problems() });
  });
}
