import { randomUUID } from "node:crypto";
import { KeptAddress } from "../engine/kept-address.ts";
import { lookAt, moveMessages } from "../engine/moves/mover.ts";
import type { FarQueue, Moves } from "../engine/moves/moves.ts";
import { Refused } from "../engine/refused.ts";
import { deadNameOf, plainName } from "../address/scope.ts";
import { readOwnSettings } from "../config/own-settings.ts";
import { Topic } from "../queue/topic.ts";
import { deadLetter } from "../wire/dead-letter.ts";
import type { Manage } from "../wire/management-link.ts";
import { factsOf, linksOf, linkStatuses } from "../overview/links.ts";
import { queueOf, queuesOf } from "../overview/queues.ts";
import { keptOf, keptOfKind, named } from "../overview/named-address.ts";
import type { StatusSources } from "../overview/status.ts";
import { tried } from "../overview/trial.ts";
import { why } from "../overview/why.ts";

/** How many dead letters are shown. */
const LOOK_MAX = 100;

/** Moves to queues of other processes. */
export interface Away {
  /** Null for an address that is here. */
  readonly far: (address: string) => FarQueue | null;
  readonly moves: Pick<Moves, "away">;
}

/** Answers what `dw` asks, and does what it wants done. */
export function createManagement(sources: StatusSources, away: Away | null = null): Manage {
  const { broker } = sources;
  const links = () => linksOf(sources, queuesOf(sources));
  /** An address and the links at it. */
  const at = (name: string) => {
    const queues = queueOf(name, sources);
    return {
      queues,
      links: linkStatuses(
        factsOf(sources).filter(({ address }) => address === name),
        queues,
      ),
    };
  };
  const kept = (name: string): KeptAddress => keptOf(broker, name);
  const ofKind = (name: string, kind: "queue" | "topic"): KeptAddress => keptOfKind(broker, name, kind);
  /** Does something with the dead letters of an address, where there are any. */
  const deadOf = async <T>(address: string, use: (dead: KeptAddress) => Promise<T>, none: T): Promise<T> => {
    const dead = broker.find(deadNameOf(address));
    return dead instanceof KeptAddress ? use(dead) : none;
  };
  const { nowMs } = sources;
  const move = async (from: KeptAddress, to: KeptAddress) => ({
    moved: await moveMessages(from, to, { later: (next) => broker.intake.whenTaking(next), nowMs }),
  });
  const show = (address: KeptAddress) => {
    const { queues, links: ofIt } = at(address.name);
    return {
      ...queues[0],
      settings: address.settings,
      own: address.own,
      ...(address.kept instanceof Topic && { subscriptions: subscriptionsOf(address.kept) }),
      links: ofIt,
    };
  };
  const list = (kind: "topic") => queuesOf(sources).filter((one) => one.kind === kind);
  const manageOf = (kind: "queue" | "topic", verb: string, name: string, settings: ReadonlyMap<string, string>) => {
    switch (verb) {
      case "show":
        return show(ofKind(name, kind));
      case "create":
        return show(broker.create(name, kind, readOwnSettings(settings, kind)));
      case "set": {
        const found = ofKind(name, kind);
        if (settings.size === 0)
          throw new Refused(
            "amqp:invalid-field",
            `Cannot change ${plainName(name)}: the question says nothing of what is to hold`,
          );
        broker.configure(found, readOwnSettings(settings, kind, found.own ?? {}));
        return show(found);
      }
      case "remove":
        broker.remove(ofKind(name, kind).name);
        return { removed: plainName(name) };
      default:
        return undefined;
    }
  };
  return (operation, address, more) => {
    const { to, settings } = more;
    const trial = tried(broker, [operation, address, more], (name) => (away?.far(name) ?? null) !== null);
    if (trial !== undefined) return trial;
    const [, kind, verb = ""] = /^(queue|topic)-(show|create|set|remove)$/.exec(operation) ?? [];
    if (kind === "queue" || kind === "topic") return manageOf(kind, verb, named(address), settings);
    switch (operation) {
      case "topic-list":
        return list("topic");
      case "queue-list":
        return queuesOf(sources);
      case "link-list":
        return links();
      case "why":
        return why(named(address), { ...at(named(address)), problems: sources.problems() });
      case "queue-purge":
        return { purged: kept(named(address)).kept.purge() };
      case "queue-move": {
        const [from, name] = [ofKind(named(address), "queue"), named(to)];
        const far = away?.far(name) ?? null;
        if (away === null || far === null) return move(from, broker.queue(name));
        return away.moves.away(from, far, { id: randomUUID(), to: name }).then((moved) => ({ moved }));
      }
      case "dead-list":
        return deadOf(named(address), (dead) => lookAt(dead, LOOK_MAX, { later: setImmediate, show: deadLetter }), []);
      case "dead-retry":
        return deadOf(named(address), (dead) => move(dead, broker.keeping(named(address))), { moved: 0 });
      case "dead-drop":
        return deadOf(named(address), async (dead) => ({ purged: dead.kept.purge() }), { purged: 0 });
      default:
        throw new Refused("amqp:not-implemented", `Cannot do ${JSON.stringify(operation)}: there is no such operation`);
    }
  };
}

/** The subscriptions of a topic that are kept, by whose they are. */
function subscriptionsOf(topic: Topic) {
  return [...topic.subscriptions].flatMap(({ key, lag, unsettled, port }) => {
    if (key === null) return [];
    const [container, name] = JSON.parse(key) as readonly [string, string];
    return [{ container, name, isAttached: port !== null, lag, unsettled: unsettled.size }];
  });
}
