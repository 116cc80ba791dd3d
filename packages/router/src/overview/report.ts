import { ROUTER_REPORT_MAX, type RouterPorts, type RouterReport } from "@datawire/protocol";
import { formatListenAddress, type ListenAddress } from "@datawire/runtime";
import type { ShownTls } from "../config/shown-tls.ts";
import { linksOf } from "./links.ts";
import { queuesOf } from "./queues.ts";
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

/** The addresses that a router listens on; null for a port that it has not. */
export interface ListeningPorts {
  readonly amqp: ListenAddress;
  readonly amqps: ListenAddress | null;
  /** What the port over TLS shows. */
  readonly shown: ShownTls | null;
  readonly web: ListenAddress | null;
  readonly admin: ListenAddress | null;
}

/** The ports as others reach them, `HOST:PORT`: one that listens on all addresses by the name of the router. */
export function reachedPorts(name: string, { amqp, amqps, shown, web, admin }: ListeningPorts): RouterPorts {
  const reachedAt = ({ host, port }: ListenAddress): string => {
    const isAny = host === "0.0.0.0" || host === "::";
    return formatListenAddress({ host: isAny ? name : host, port });
  };
  return {
    amqp: reachedAt(amqp),
    // Nobody is sent where no certificate is shown, which may come later.
    get amqps() {
      return amqps !== null && (shown?.current ?? null) !== null ? reachedAt(amqps) : null;
    },
    web: web && reachedAt(web),
    admin: admin && reachedAt(admin),
  };
}

/** What a client calls itself may be as long as a frame. */
const TEXT_MAX = 300;
