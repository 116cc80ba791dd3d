import type { IncomingDelivery } from "@datawire/amqp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Identity, Message } from "../core/message.ts";
import { Inbox, Reject, type Work } from "./inbox.ts";

/** The client library of tests before in this process, which would handle these messages in sessions of its own. */
const others: { [carrier: symbol]: unknown } = globalThis;
const CARRIER = Symbol.for("@datawire/mdk.messages");
const before = others[CARRIER];
beforeAll(() => void delete others[CARRIER]);
afterAll(() => void (others[CARRIER] = before));

/** An inbox, what came of each delivery, and how to bring a message to it. */
function inboxOf(work: Work) {
  const outcomes: string[] = [];
  const delivery = {
    accept: () => outcomes.push("accepted"),
    modify: () => outcomes.push("failed"),
    reject: ({ description }: { description: string }) => outcomes.push(`rejected: ${description}`),
  } as unknown as IncomingDelivery;
  const inbox = new Inbox(work);
  const take = (sequence: number | null): Promise<void> | undefined => {
    const identity: Identity | null = sequence === null ? null : { producer: "p", sequence };
    return inbox.take(delivery, { offset: null } as Message, identity);
  };
  return { inbox, outcomes, take };
}

const fail = (error: Error): never => {
  throw error;
};

test.each<[string, Work, string]>([
  ["returns", () => 7, "accepted"],
  ["throws", () => fail(new Error("no")), "failed"],
  ["throws Reject", () => fail(new Reject("never")), "rejected: never"],
])("Inbox.take() settles at once where the handler %s", (_, work, outcome) => {
  const { inbox, outcomes, take } = inboxOf(work);
  expect(take(1)).toBeUndefined();
  expect([outcomes, inbox.inHand]).toEqual([[outcome], 0]);
});

test.each<[string, Work, string]>([
  ["resolves", async () => {}, "accepted"],
  // oxlint-disable-next-line unicorn/no-thenable
  ["returns what is like a promise", () => ({ then: (resolve: () => void) => resolve() }), "accepted"],
  ["rejects", async () => fail(new Error("no")), "failed"],
  ["rejects with Reject", async () => fail(new Reject("never")), "rejected: never"],
])("Inbox.take() settles later where the handler %s", async (_, work, outcome) => {
  const { inbox, outcomes, take } = inboxOf(work);
  const done = take(1);
  expect([outcomes, inbox.inHand]).toEqual([[], 1]);
  const idle = inbox.idle();
  await done;
  await idle;
  expect([outcomes, inbox.inHand]).toEqual([[outcome], 0]);
});

test("Inbox.take() handles a message once, however often it comes, until it fails", async () => {
  let handled = 0;
  let end: (isDone: boolean) => void = () => {};
  const { outcomes, take } = inboxOf(async () => {
    handled++;
    if (!(await new Promise<boolean>((resolve) => (end = resolve)))) throw new Error("no");
  });
  const [one, other] = [take(1), take(1)];
  end(false);
  await one;
  await other;
  expect([handled, outcomes]).toEqual([1, ["failed", "failed"]]);
  const again = take(1);
  end(true);
  await again;
  await take(1);
  expect([handled, outcomes.slice(2)]).toEqual([2, ["accepted", "accepted"]]);
});

test("Inbox.take() handles what nothing is known by each time", () => {
  let handled = 0;
  const { take } = inboxOf(() => handled++);
  void take(null);
  void take(null);
  expect(handled).toBe(2);
});

test("Inbox.idle() waits for what is handled while it is asked for", async () => {
  let idle: Promise<void> | undefined;
  let isIdle = false;
  const { inbox, take } = inboxOf(() => {
    idle = inbox.idle().then(() => void (isIdle = true));
  });
  void take(1);
  expect(isIdle).toBe(false);
  await idle;
  expect(inbox.inHand).toBe(0);
});
