import { type Balance, countSlots, own, SLOTS, type SlotRange } from "@datawire/protocol";
import { type Part, ruleMatches, slotOf, type TrafficSplit } from "@datawire/routing";
import { xxHash32 } from "js-xxhash";
import { type MessageFacts, stickyValue } from "./facts.ts";

/**
 * Coprime to the number of slots, and near its golden section: of any 10,000 messages in a row each has a slot of its own,
 * and of any few the shares are as near to the percentages as whole numbers can be.
 */
const STEP = 6_181;

/** The slot of the n-th message of an address. */
const slotOfSequence = (sequence: number): number => (sequence * STEP) % SLOTS;

/** Whether a split looks into messages. */
export function looksInside({ rules, sticky }: TrafficSplit): boolean {
  return rules.length > 0 || sticky?.kind === "header";
}

/**
 * The instances that a message is for: those of the first condition that it meets, else those of the share that has its
 * slot. Empty where nothing is live.
 */
export function choosePool(
  split: TrafficSplit,
  { service, sequence, facts }: { readonly service: string; readonly sequence: number; readonly facts: MessageFacts },
): readonly string[] {
  const rule = split.rules.find((candidate) => ruleMatches(candidate, facts.request));
  if (rule !== undefined) return namesOf(rule.parts);
  const value = stickyValue(split.sticky, facts);
  const slot = value === null ? slotOfSequence(sequence) : slotOf(service, value);
  const share = split.shares.find(({ slots }) => hasSlot(slots, slot));
  return share === undefined ? [] : namesOf(share.parts);
}

/** Every instance that can get anything. */
export function servedBy(split: TrafficSplit): Set<string> {
  const shares = split.shares.filter(({ slots }) => countSlots(slots) > 0);
  return new Set([...shares, ...split.rules].flatMap(({ parts }) => namesOf(parts)));
}

/** What is known of an instance while one is chosen of several. */
export interface InstanceState {
  /** Whether it has been without credit for so long that others take its part. */
  isStarved(name: string): boolean;
  wants(name: string): boolean;
  unsettled(name: string): number;
}

/**
 * The instances of a pool that may take a message: all of them, or the one that the balance policy says. One that has been
 * without credit for long is passed over.
 */
export function balanced(
  pool: readonly string[],
  policy: Balance | null,
  { sequence, name, facts, state }: Balancing,
): readonly string[] {
  const able = pool.filter((one) => !state.isStarved(one));
  switch (policy?.kind) {
    case "ordered":
      return able.slice(0, 1);
    case "random":
      return able.length === 0 ? [] : [able[xxHash32(String(sequence), 1) % able.length] as string];
    case "least-connections": {
      const ready = able.filter((one) => state.wants(one));
      const least = Math.min(...ready.map((one) => state.unsettled(one)));
      return ready.filter((one) => state.unsettled(one) === least);
    }
    case "consistent": {
      const key = keyOf(policy, { name, facts });
      return key === null ? able : highest(able, key);
    }
    default:
      return able;
  }
}

interface Balancing {
  readonly sequence: number;
  /** The address. */
  readonly name: string;
  readonly facts: MessageFacts;
  readonly state: InstanceState;
}

/** Whether a policy looks into messages. */
export const looksAtMessage = (policy: Balance | null): boolean =>
  policy?.kind === "consistent" && policy.by !== "address" && policy.by !== "path";

function keyOf(
  policy: Extract<Balance, { kind: "consistent" }>,
  { name, facts }: Pick<Balancing, "name" | "facts">,
): string | null {
  switch (policy.by) {
    case "address":
    case "path":
      return name;
    case "group-id":
      return facts.groupId;
    case "subject":
      return facts.subject;
    case "property":
      return facts.property(policy.name);
    case "header":
      return own(facts.request.headers ?? {}, policy.name) ?? null;
    case "cookie":
    case "ip":
      return null;
  }
}

/** Rendezvous hashing: who leaves moves its own keys alone. */
function highest(pool: readonly string[], key: string): string[] {
  let best: { readonly one: string; readonly score: number } | null = null;
  for (const one of pool) {
    const score = xxHash32(`${one}|${key}`, 0);
    if (best === null || score > best.score) best = { one, score };
  }
  return best === null ? [] : [best.one];
}

const hasSlot = (slots: readonly SlotRange[], slot: number): boolean =>
  slots.some(([from, to]) => slot >= from && slot < to);

function namesOf(parts: readonly Part[]): string[] {
  return parts.flatMap(({ pool }) => (pool.kind === "instances" ? pool.instances.map(({ name }) => name) : []));
}
