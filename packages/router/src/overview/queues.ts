import type { StallReason } from "@datawire/protocol";
import type { Broker } from "../engine/broker.ts";
import { DirectAddress } from "../engine/direct-address.ts";
import { deadNameOf, isDeadName } from "../address/scope.ts";
import { KeptAddress } from "../engine/kept-address.ts";
import { limitReasonOf } from "../address/reasons.ts";
import type { LinkAddress, Upstreams } from "../upstream/upstreams.ts";
import { Topic } from "../queue/topic.ts";
import type { RateBook, Rates } from "./rates.ts";

/** One address, as `dw queue list --json` has it. */
export interface QueueStatus extends Rates {
  readonly address: string;
  readonly kind: "queue" | "topic" | "direct" | "service" | "link";
  readonly state: "moving" | "idle" | "stalled" | "full";
  readonly reason: StallReason | null;
  readonly messages: number;
  readonly bytes: number;
  readonly unsettled: number;
  readonly oldestMs: number | null;
  readonly senders: number;
  readonly consumers: number;
  /** How many messages of it are in `dead/ADDRESS`. */
  readonly dead: number;
  /** How many messages the durable subscription that is furthest behind has to read, of those without a consumer. */
  readonly unread: number;
}

/** What is looked at for it. */
export interface QueueSources {
  readonly broker: Broker;
  readonly upstreams: Pick<Upstreams, "addresses">;
  readonly rates: RateBook;
  readonly nowMs: () => number;
}

/** All addresses, those that do not move first. */
export function queuesOf(sources: QueueSources): QueueStatus[] {
  const { broker, upstreams } = sources;
  return sortQueues(statusesOf([...broker.kept, ...broker.direct, ...upstreams.addresses], sources));
}

/** One address, without a look at the others, of which there may be very many; none where it is not there. */
export function queueOf(name: string, sources: QueueSources): QueueStatus[] {
  const { broker, upstreams } = sources;
  const found = broker.find(name) ?? [...upstreams.addresses].find((address) => address.name === name);
  return found === undefined ? [] : statusesOf([found], sources);
}

function statusesOf(
  addresses: readonly (KeptAddress | DirectAddress | LinkAddress)[],
  { broker, rates, nowMs }: QueueSources,
): QueueStatus[] {
  const deadOf = (name: string): number => {
    const dead = isDeadName(name) ? null : broker.find(deadNameOf(name));
    return dead instanceof KeptAddress ? dead.kept.messages : 0;
  };
  return addresses.flatMap((address) => {
    const { name } = address;
    if (address instanceof DirectAddress) return [directStatus(address, rates.of(name))];
    if (!(address instanceof KeptAddress)) return [linkStatus(address, rates.of(name))];
    // What was made for one link is of interest where something waits in it.
    if (name.startsWith("$") && address.kept.messages === 0) return [];
    return [keptStatus(address, { rates: rates.of(name), dead: deadOf(name), nowMs: nowMs() })];
  });
}

/** Those that do not move first. */
export function sortQueues(list: QueueStatus[]): QueueStatus[] {
  return list.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.address < b.address ? -1 : 1));
}

const STATES: readonly QueueStatus["state"][] = ["full", "stalled", "moving", "idle"];

interface Facts {
  readonly rates: Rates;
  readonly dead: number;
  readonly nowMs: number;
}

function keptStatus(address: KeptAddress, { rates, dead, nowMs }: Facts): QueueStatus {
  const { name, kind, kept, sinks, sources, limitReason } = address;
  const isMoving = rates.inPerS > 0 || rates.outPerS > 0;
  const reason: StallReason | null =
    limitReason !== null
      ? limitReasonOf(limitReason)
      : kind === "queue" && sources.size === 0 && kept.messages > 0
        ? "no-consumer"
        : whyConsumersWait(address);
  const isStalled = reason === "no-consumer" || (reason !== null && limitReason === null && rates.outPerS === 0);
  const state = limitReason !== null ? "full" : isStalled ? "stalled" : isMoving ? "moving" : "idle";
  const oldest = kept.oldestAtMs;
  return {
    address: name,
    kind,
    state,
    reason,
    messages: kept.messages,
    bytes: kept.bytes,
    unsettled: kept.unsettled,
    oldestMs: oldest === null ? null : Math.max(0, Math.round(nowMs - oldest)),
    senders: sinks.size,
    consumers: sources.size,
    ...rates,
    dead,
    unread: unreadOf(kept),
  };
}

function unreadOf(kept: KeptAddress["kept"]): number {
  let most = 0;
  if (kept instanceof Topic)
    for (const { port, lag } of kept.subscriptions) if (port === null) most = Math.max(most, lag);
  return most;
}

/** Why nothing goes out though there are consumers; of a topic, why one of them gets nothing. */
function whyConsumersWait({ kind, sources }: KeptAddress): StallReason | null {
  const waiting = [...sources].filter(([{ lag }]) => lag !== null && lag > 0);
  const reasons = waiting.map(([, { credit, heldBackBy = null }]) => (credit === 0 ? "no-credit" : heldBackBy));
  if (kind === "queue" && reasons.includes(null)) return null;
  return reasons.find((reason) => reason !== null) ?? null;
}

function directStatus(
  { name, kind, senders, consumers, unsettled, closedBy }: DirectAddress,
  rates: Rates,
): QueueStatus {
  const isMoving = rates.inPerS > 0 || rates.outPerS > 0;
  const reason = senders === 0 ? null : closedBy;
  const state = isMoving ? "moving" : reason === null ? "idle" : "stalled";
  return { address: name, kind, state, reason, unsettled, senders, consumers, ...NONE_KEPT, ...rates };
}

function linkStatus({ name, waits, senders, consumers, unsettled }: LinkAddress, rates: Rates): QueueStatus {
  const isMoving = rates.inPerS > 0 || rates.outPerS > 0;
  return {
    address: name,
    kind: "link",
    state: waits ? "stalled" : isMoving ? "moving" : "idle",
    reason: waits ? "waits-for-upstream" : null,
    unsettled,
    senders: senders.size,
    consumers: consumers.size,
    ...NONE_KEPT,
    ...rates,
  };
}

const NONE_KEPT = { messages: 0, bytes: 0, oldestMs: null, dead: 0, unread: 0 } as const;
