import { type Answer, endpoints } from "@datawire/api";
import type { LinkReport, QueueReport } from "@datawire/protocol";
import type { Question } from "../../data/entry.ts";

type Routers = Answer<"listRouters">["routers"];

/** An address of messages at one router. */
export interface QueueRow extends QueueReport {
  /** `ROUTER>ADDRESS` */
  readonly key: string;
  readonly router: string;
}

/** A link of one router. */
export interface LinkRow extends LinkReport {
  readonly key: string;
}

const EVERY_MS = 2_000;

/** The routers that are connected, with what each told of itself within the last seconds. */
export const routersQuestion: Question<Routers> = {
  key: "routers",
  everyMs: EVERY_MS,
  ask: async (client) => (await client.ask(endpoints.listRouters)).routers,
};

const URGENCY = new Map([
  ["full", 0],
  ["stalled", 1],
  ["moving", 2],
]);
const urgencyOf = ({ state }: { readonly state: string }): number => URGENCY.get(state) ?? 3;

/** All addresses, those that do not move first. */
export function queueRows(routers: Routers): QueueRow[] {
  return routers
    .flatMap(({ name, queues }) => queues.map((queue) => ({ ...queue, router: name, key: `${name}>${queue.address}` })))
    .toSorted((a, b) => urgencyOf(a) - urgencyOf(b) || b.dead - a.dead || a.key.localeCompare(b.key));
}

/** All links, those that do not move first. */
export function linkRows(routers: Routers): LinkRow[] {
  return routers
    .flatMap(({ links }) => links.map((link) => ({ ...link, key: `${link.router}>${link.container}>${link.link}` })))
    .toSorted((a, b) => urgencyOf(a) - urgencyOf(b) || a.key.localeCompare(b.key));
}

/** How many addresses and links the routers did not tell of, as there are too many. */
export function leftOut(routers: Routers): number {
  return routers.reduce(
    (sum, { counts, queues, links }) => sum + counts.queues - queues.length + counts.links - links.length,
    0,
  );
}

const REASONS = new Map([
  ["no-consumer", "nobody receives"],
  ["no-credit", "the receivers ask for no more"],
  ["limit", "it is at its limit"],
  ["disk-full", "the disk takes nothing"],
  ["waits-for-upstream", "it waits for the broker behind it"],
  ["window", "what was sent is not settled yet"],
  ["unsettled-limit", "the receivers have settled nothing of what they have"],
  ["held", "the receivers are of versions that are held"],
]);

/** Why nothing moves, in words; a reason that is not known stands as it is. */
export function reasonText(reason: string | null): string | null {
  return reason === null ? null : (REASONS.get(reason) ?? reason);
}
