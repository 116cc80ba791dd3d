import type { Clock } from "@datawire/runtime";
import type { Broker } from "../engine/broker.ts";
import type { KeptSubscription, Siblings } from "../engine/durables.ts";
import { Refused } from "../engine/refused.ts";
import type { Question } from "./messages.ts";
import type { Part } from "./part.ts";

/** A process that is away is asked again after this, as it is started again. */
const AGAIN_MS = 500;
/** Somebody who waits for the answer is told so after so many times. */
const TRIES = 20;
/** Nobody waits for the end of what somebody had. */
const TRIES_OF_END = 600;

type Unsubscribe = Question & { readonly is: "unsubscribe" };

/** What processes ask each other for links of their clients. */
export function createSiblings(
  part: Pick<Part, "seat" | "homeOf" | "ask">,
  {
    broker,
    clock,
    signal,
  }: { readonly broker: Broker; readonly clock: Pick<Clock, "sleep">; readonly signal: AbortSignal },
): Siblings {
  const { index: own, indices } = part.seat;
  const others = indices.filter((index) => index !== own);

  /** Asks one until it answers. @throws what it said last. */
  async function insist(to: number, question: Question, tries: number): Promise<unknown> {
    for (let tried = 1; ; tried++) {
      try {
        return await part.ask(to, question);
      } catch (error) {
        if (tried === tries || signal.aborted) throw error;
        await clock.sleep(AGAIN_MS, signal);
      }
    }
  }

  return {
    async find(owner) {
      const asked = others.map((index) => insist(index, { is: "subscription", ...owner }, TRIES));
      const answers = await Promise.allSettled(asked);
      for (const answer of answers) {
        if (answer.status === "fulfilled" && answer.value !== null) return answer.value as KeptSubscription;
      }
      if (answers.every(({ status }) => status === "fulfilled")) return null;
      throw new Refused(
        "amqp:not-found",
        "Cannot attach: the link has no source, and a process of this router that may keep a subscription of its name is away",
      );
    },

    async claim(owner, name, capability) {
      const home = part.homeOf(name);
      const ofRules = (): boolean => isTopicAt(broker, name, capability);
      const isTopic =
        home === null ? ofRules() : await part.ask(home, { is: "topic", address: name, capability }).catch(ofRules);
      // What is none has no subscription, and takes nothing from another address.
      if (isTopic !== true) return;
      const question = { is: "unsubscribe", ...owner, but: name } as const;
      // Its home does so as it opens the link, and one that is away when it is there again.
      const asked = others.filter((index) => index !== home).map((index) => ended(index, question));
      if (home !== null) broker.durables.endElsewhere(owner, name);
      await Promise.all(asked);
    },
  };

  async function ended(index: number, question: Omit<Unsubscribe, "isLate">): Promise<void> {
    await part.ask(index, { ...question, isLate: false }).catch(() => {
      void insist(index, { ...question, isLate: true }, TRIES_OF_END).catch(() => {});
    });
  }
}

/** Answers what another process asks for a link of its client. */
export function answerSibling(
  broker: Broker,
  question: Question & { readonly is: "subscription" | "unsubscribe" | "topic" },
): unknown {
  switch (question.is) {
    case "subscription":
      return broker.durables.find(question);
    case "unsubscribe":
      return broker.durables.endElsewhere(question, question.but, question.isLate);
    case "topic":
      return isTopicAt(broker, question.address, question.capability);
  }
}

/** Whether an address is a topic, or would be. */
function isTopicAt(broker: Broker, name: string, capability: "queue" | "topic" | null): boolean {
  try {
    return broker.kindOf(name, capability) === "topic";
  } catch {
    return false;
  }
}
