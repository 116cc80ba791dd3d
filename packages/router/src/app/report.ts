import { ROUTER_REPORT_MAX, type RouterPorts, type RouterReport } from "@datawire/protocol";
import { linksOf } from "../overview/links.ts";
import { queuesOf } from "../overview/queues.ts";
import type { StatusSources } from "./status.ts";

/** What the directory is told of a router: as `/v1/status` has it, and no more than fits. */
export function reportOf(sources: StatusSources, ports: RouterPorts): RouterReport {
  const queues = queuesOf(sources);
  const links = linksOf(sources, queues);
  return {
    host: sources.host,
    ports,
    queues: queues.slice(0, ROUTER_REPORT_MAX),
    links: links.slice(0, ROUTER_REPORT_MAX).map((link) => ({
      ...link,
      container: link.container.slice(0, TEXT_MAX),
      user: link.user === null ? null : link.user.slice(0, TEXT_MAX),
      link: link.link.slice(0, TEXT_MAX),
    })),
    counts: { queues: queues.length, links: links.length, connections: [...sources.peers].length },
  };
}

/** What a client calls itself may be as long as a frame. */
const TEXT_MAX = 300;
