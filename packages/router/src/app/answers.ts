import type { ReportedProblem } from "@datawire/protocol";
import type { Registry } from "prom-client";
import type { FarQueue, Moves } from "../engine/moves/moves.ts";
import type { Question } from "../processes/messages.ts";
import type { Part } from "../processes/part.ts";
import { answerSibling } from "../processes/siblings.ts";
import type { Manage } from "../wire/management-link.ts";
import type { InnerPort } from "./inner.ts";
import { type Facts, factsOf, linkStatuses, type LinkStatus } from "../overview/links.ts";
import { queueOf, queuesOf, type QueueStatus, sortQueues } from "../overview/queues.ts";
import type { StatusSources } from "../overview/status.ts";
import { type Why, type WhyFacts, why } from "../overview/why.ts";

/** What one process knows of all that there is. */
export interface PartStatus {
  readonly queues: readonly QueueStatus[];
  /** Links of its clients. */
  readonly links: readonly Facts[];
  /** Links for clients of other processes. */
  readonly inner: readonly Facts[];
  readonly problems: readonly ReportedProblem[];
  readonly tenant: string | null;
}

/** What a process has to answer with. */
export interface AnswerSources {
  readonly sources: StatusSources;
  readonly registry: Pick<Registry, "getMetricsAsJSON">;
  readonly manage: Manage;
  readonly inner: InnerPort | null;
  readonly moves: Pick<Moves, "take" | "taken">;
}

/** Answers what other processes ask. */
export function createAnswers({
  sources,
  registry,
  manage,
  inner,
  moves,
}: AnswerSources): (question: Question) => unknown {
  return (question) => {
    switch (question.is) {
      case "status":
        return {
          queues: question.address === undefined ? queuesOf(sources) : queueOf(question.address, sources),
          links: factsOf(sources),
          inner: factsOf({ host: sources.host, peers: inner?.peers ?? [] }),
          problems: sources.problems(),
          tenant: sources.tenant(),
        } satisfies PartStatus;
      case "metrics":
        return registry.getMetricsAsJSON();
      case "take": {
        const { address, move: id, first, payloads: texts, ttls } = question;
        const payloads = texts.map((text) => Buffer.from(text, "base64"));
        return moves.take(sources.broker.queue(address), { id, first, payloads, ttls });
      }
      case "taken":
        return moves.taken(question.address, question.move);
      case "subscription":
      case "unsubscribe":
      case "topic":
        return answerSibling(sources.broker, question);
      case "manage": {
        const { operation, address, to, settings } = question;
        return manage(operation, address, { to, settings: new Map(settings) });
      }
    }
  };
}

/** All addresses and links of a router, from what each process knows. */
export function mergeStatus(parts: readonly PartStatus[]): {
  readonly queues: QueueStatus[];
  readonly links: LinkStatus[];
} {
  const byAddress = new Map<string, QueueStatus>();
  for (const queue of parts.flatMap(({ queues }) => queues)) {
    const known = byAddress.get(queue.address);
    byAddress.set(queue.address, known === undefined ? queue : sumOf(known, queue));
  }
  const queues = sortQueues([...byAddress.values()]);
  // How many messages a consumer has not been given is known to the process that has its address; who the consumer is,
  // to the process that it connected to.
  const behind = new Map(parts.flatMap(({ inner }) => inner.map((one) => [keyOf(one), one] as const)));
  const facts = parts.flatMap(({ links }) =>
    links.map((link) => {
      const { lag, heldBackBy } = behind.get(keyOf(link)) ?? link;
      return { ...link, lag, heldBackBy };
    }),
  );
  return { queues, links: linkStatuses(facts, queues) };
}

/** Carries out commands of `dw` at the process that has the address, and collects lists from all processes. */
export function manageAll(part: Part, own: Manage): Manage {
  const all = async (of: { readonly address?: string } = {}) => {
    const asked = part.seat.indices.map((index) => part.ask(index, { is: "status", ...of }).catch(() => null));
    const parts = (await Promise.all(asked)).filter((one): one is PartStatus => one !== null);
    return { ...mergeStatus(parts), problems: parts.flatMap(({ problems }) => problems) };
  };
  const ask = (to: number, [operation, address, more]: Parameters<Manage>): Promise<unknown> =>
    part.ask(to, { is: "manage", operation, address, to: more.to, settings: [...more.settings] });
  return async (operation, address, more) => {
    switch (operation) {
      case "queue-list":
        return (await all()).queues;
      case "topic-list":
        return (await all()).queues.filter(({ kind }) => kind === "topic");
      case "link-list":
        return (await all()).links;
      case "why":
        if (address !== null) return whyOf(part, address, await all({ address }));
    }
    if (address === null) return own(operation, address, more);
    const home = part.homeOf(address);
    return home === null ? own(operation, address, more) : ask(home, [operation, address, more]);
  };
}

/** Where messages of this process go that are moved to an address of another one; null for one that is here. */
export function farFrom(part: Part | null): (address: string) => FarQueue | null {
  return (address) => {
    const home = part?.homeOf(address) ?? null;
    if (part === null || home === null) return null;
    return {
      take({ id: move, first, payloads, ttls }) {
        const texts = payloads.map((payload) => Buffer.from(payload).toString("base64"));
        return part.ask(home, { is: "take", address, move, first, payloads: texts, ttls });
      },
      taken: async (move) => Number(await part.ask(home, { is: "taken", address, move })),
    };
  };
}

async function whyOf(part: Part, address: string, status: WhyFacts): Promise<Why> {
  const home = part.homeOf(address);
  const isAway =
    home !== null &&
    (await part.ask(home, { is: "metrics" }).then(
      () => false,
      () => true,
    ));
  const found = why(address, status);
  if (!isAway) return found;
  const text = "the process of the router that has it is away, and is started again; links wait without credit";
  return { ...found, state: "stalled", reason: "waits-for-upstream", text };
}

const keyOf = ({ container, link, direction }: Facts): string => JSON.stringify([container, link, direction]);

/** The sum of an address that keeps nothing, over the processes that have links to it. */
function sumOf(a: QueueStatus, b: QueueStatus): QueueStatus {
  const worse = a.reason === null ? b : a;
  return {
    ...worse,
    unsettled: a.unsettled + b.unsettled,
    senders: a.senders + b.senders,
    consumers: a.consumers + b.consumers,
    inPerS: a.inPerS + b.inPerS,
    outPerS: a.outPerS + b.outPerS,
  };
}
