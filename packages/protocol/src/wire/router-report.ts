import { z } from "zod";

/** Why nothing moves at an address or on a link; a reason that only a newer router knows is passed on as it is. */
const reason = z.string().max(40).nullable();
/** An address of messages: up to 255 bytes, after the name of its tenant and `dead/`. */
const address = z.string().max(400);
const count = z.number().min(0);
const text = z.string().max(300);

/** One address of a router, as `dw queue list --json` has it. */
export const queueReportSchema = z.object({
  address,
  kind: z.string().max(20),
  state: z.enum(["moving", "idle", "stalled", "full"]),
  reason,
  messages: count,
  bytes: count,
  unsettled: count,
  oldestMs: count.nullable(),
  senders: count,
  consumers: count,
  inPerS: count,
  outPerS: count,
  dead: count,
});
/** One address of a router, after parsing. */
export type QueueReport = z.infer<typeof queueReportSchema>;

/** One link of a router, as `dw link list --json` has it. */
export const linkReportSchema = z.object({
  router: text,
  container: text,
  user: text.nullable(),
  peer: text,
  link: text,
  direction: z.enum(["in", "out"]),
  address: address.nullable(),
  version: z.string().max(100).nullable(),
  state: z.enum(["moving", "idle", "stalled"]),
  reason,
  credit: count,
  window: count.nullable(),
  unsettled: count,
  oldestUnsettledMs: count.nullable(),
  delivered: count,
  lag: count.nullable(),
});
/** One link of a router, after parsing. */
export type LinkReport = z.infer<typeof linkReportSchema>;

/** The most addresses, and the most links, of one report: those that do not move come first. */
export const ROUTER_REPORT_MAX = 500;

/** Where a router is reached, `HOST:PORT` each; null where it has no such port. */
export const routerPortsSchema = z.object({
  amqp: text.nullable(),
  amqps: text.nullable(),
  web: text.nullable(),
  admin: text.nullable(),
});
/** Where a router is reached, after parsing. */
export type RouterPorts = z.infer<typeof routerPortsSchema>;

/** What a router reports every few seconds; it replaces the previous report. */
export const routerReportSchema = z.object({
  type: z.literal("router"),
  /** As it is configured: the host that addresses may name. */
  host: text,
  ports: routerPortsSchema,
  queues: z.array(queueReportSchema).max(ROUTER_REPORT_MAX),
  links: z.array(linkReportSchema).max(ROUTER_REPORT_MAX),
  /** The totals, as the lists may be cut. */
  counts: z.object({ queues: count, links: count, connections: count }),
});
/** What a router reports of itself, after parsing. */
export type RouterReport = Omit<z.infer<typeof routerReportSchema>, "type">;
