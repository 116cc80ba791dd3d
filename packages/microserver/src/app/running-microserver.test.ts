import {
  decodeMessage,
  encodeMessage,
  type IncomingDelivery,
  type Receiver,
  type Sender,
  WireFailure,
} from "@datawire/amqp";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import type { Stall } from "../core/stalls.ts";
import { Hub } from "../links/hub.ts";
import { Outbox } from "../outbox/outbox.ts";
import { MemoryRouter } from "../testing/memory-router.ts";
import { Reject } from "./inbox.ts";
import { RunningMicroserver } from "./running-microserver.ts";

function world(limits = { messages: 100, bytes: 10_000 }, onStall: ((stall: Stall) => void) | null = null) {
  const clock = createFakeClock();
  const router = new MemoryRouter();
  let ids = 0;
  const chance = { number: () => 0.5, id: () => `id${ids++}` };
  const hub = new Hub({ role: "client", open: { containerId: "one" } }, { dial: router.dial, clock, chance });
  const outbox = new Outbox(hub, limits);
  const parts = {
    hub,
    outbox,
    name: null,
    router: "memory",
    serve: null,
    container: "one",
    onStall,
    stallMs: 5_000,
  };
  return { clock, router, microserver: new RunningMicroserver(parts) };
}

/** Which message came: its number for its producer, and its body. */
function read({ message }: IncomingDelivery): readonly [number, unknown] {
  const decoded = decodeMessage(Uint8Array.from(message));
  if (decoded instanceof WireFailure) throw decoded;
  const { messageAnnotations, body } = decoded;
  return [Number(messageAnnotations?.get("x-opt-datawire-sequence")), body?.type === "value" ? body.value : null];
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "none",
    (error: { code?: string }) => error.code ?? error,
  );

test("send() sends again what had no outcome when the connection was lost, under the same numbers", async () => {
  const { clock, router, microserver } = world();
  const came: unknown[] = [];
  router.onDelivered = (delivery) => void came.push(read(delivery));
  const sends = Promise.all(["a", "b"].map((body) => microserver.send("orders", body)));
  await clock.advance(0);
  router.onDelivered = (delivery) => {
    came.push(read(delivery));
    delivery.accept();
  };
  router.cut();
  await clock.advance(100);
  expect(await sends).toEqual([0, 1].map(() => ({ address: "orders", id: null })));
  expect(came).toEqual([
    [1, "a"],
    [2, "b"],
    [1, "a"],
    [2, "b"],
  ]);
  await microserver.close();
  expect(clock.pending()).toBe(0);
});

test("send() gives a released message a new number, after a while", async () => {
  const { clock, router, microserver } = world();
  const came: unknown[] = [];
  router.onDelivered = (delivery) => {
    came.push(read(delivery));
    if (came.length === 1) delivery.release();
    else delivery.accept();
  };
  const sent = microserver.send("orders", "a");
  await clock.advance(0);
  expect(came).toEqual([[1, "a"]]);
  await clock.advance(100);
  await sent;
  expect(came).toEqual([
    [1, "a"],
    [2, "a"],
  ]);
  await microserver.close();
});

test("send() says why: refused, rejected, too much, aborted, closed", async () => {
  const { clock, router, microserver } = world({ messages: 1, bytes: 100_000 });
  router.onAsked = (link) => link.refuse({ condition: "amqp:unauthorized-access", description: "no right" });
  const refused = codeOf(microserver.send("orders", 1));
  await clock.advance(0);
  expect(await refused).toBe("unauthorized");
  router.onAsked = (link) => {
    link.accept();
    (link as Receiver).setCredit(1);
  };
  router.onDelivered = (delivery) => delivery.reject({ condition: "amqp:not-allowed", description: "why" });
  const rejected = codeOf(microserver.send("orders", 1));
  await clock.advance(0);
  expect(await rejected).toBe("rejected");
  const stop = new AbortController();
  const waits = codeOf(microserver.send("orders", 1, { signal: stop.signal }));
  expect(await codeOf(microserver.send("orders", 2))).toBe("limit");
  await clock.advance(0);
  expect(microserver.status.links).toMatchObject([{ address: "orders", credit: 0, waitsFor: "no-credit" }]);
  stop.abort();
  expect(await waits).toBe("aborted");
  const left = codeOf(microserver.send("orders", 1));
  const closed = microserver.close();
  await clock.advance(5_000);
  await closed;
  expect(await left).toBe("closed");
  expect(clock.pending()).toBe(0);
});

test("send() gives what is sent once an identity of its own, whoever sends it", async () => {
  const [one, two] = [world(), world()];
  const came: unknown[] = [];
  for (const { router } of [one, two])
    router.onDelivered = (delivery) => {
      const decoded = decodeMessage(Uint8Array.from(delivery.message));
      if (!(decoded instanceof WireFailure)) came.push(decoded.messageAnnotations?.get("x-opt-datawire-producer"));
      delivery.accept();
    };
  for (const { microserver, clock } of [one, two]) {
    const sent = microserver.send("orders", 1, { once: "key" });
    await clock.advance(0);
    await sent;
  }
  expect(came[0]).toMatch(/^made-/);
  expect(came[1]).toBe(came[0]);
  for (const { microserver } of [one, two]) await microserver.close();
});

test("onStall is told what the router says of a link: of a sender without credit, of a listener that is held", async () => {
  const stalls: Stall[] = [];
  const { clock, router, microserver } = world(undefined, (stall) => void stalls.push(stall));
  let listener: Sender | null = null;
  const reasons = new Map([
    [true, "limit"],
    [false, "held"],
  ]);
  router.onAsked = (link) => {
    link.accept();
    if (!link.isReceiver) listener = link;
  };
  router.onAsks = ({ isReceiver }) => new Map([["datawire:reason", reasons.get(isReceiver) ?? ""]]);
  await clock.advance(0);
  const listening = microserver.listen("prices", () => {});
  const sent = codeOf(microserver.send("orders", 1));
  await clock.advance(0);
  await listening;
  await clock.advance(8_000);
  expect(stalls).toMatchObject([
    { address: "prices", role: "receiver", reason: "held" },
    { address: "orders", role: "sender", reason: "limit" },
  ]);
  expect(microserver.status.links.map(({ waitsFor }) => waitsFor)).toEqual(["limit", "held"]);
  reasons.set(true, "disk-full");
  await clock.advance(8_000);
  expect(stalls.slice(2)).toMatchObject([{ address: "orders", reason: "disk-full" }]);
  // What comes says that it is held no more.
  reasons.delete(false);
  (listener as Sender | null)?.send(encodeMessage({ body: { type: "value", value: 1 } }));
  await clock.advance(0);
  expect(microserver.status.links.map(({ waitsFor }) => waitsFor)).toEqual(["disk-full", null]);
  const closed = microserver.close();
  await clock.advance(5_000);
  await closed;
  expect(await sent).toBe("closed");
  expect(clock.pending()).toBe(0);
});

test("a microserver tries for ever, after longer and longer waits up to 5 s", async () => {
  const { clock, router, microserver } = world();
  await clock.advance(0);
  expect(microserver.status.state).toBe("connected");
  router.isUp = false;
  router.cut();
  // Half of 100, 200, 400, … 5000 ms, as chance has it here: 12 attempts in the first 20 s.
  await clock.advance(20_000);
  expect(router.dials).toBe(1 + 12);
  expect(microserver.status).toMatchObject({ state: "connecting", failure: "nothing answers" });
  router.isUp = true;
  await clock.advance(2_500);
  expect(microserver.status).toMatchObject({ state: "connected", failure: null });
  await microserver.close();
});

test("pipeline() ends with its signal, with what it has in hand finished and accepted", async () => {
  const { clock, router, microserver } = world();
  const links: Sender[] = [];
  router.onAsked = (asked) => {
    asked.accept();
    if (asked.isReceiver) asked.setCredit(100);
    else links.push(asked);
  };
  const told: unknown[] = [];
  router.onOutcome = ({ state }) => void told.push(state?.type);
  const stop = new AbortController();
  let go: () => void = () => {};
  const made = microserver.pipeline(
    "orders",
    "invoices",
    async ({ body }) => {
      await new Promise<void>((resolve) => (go = resolve));
      return { body };
    },
    { signal: stop.signal },
  );
  await clock.advance(0);
  await made;
  links[0]?.send(encodeMessage({ body: { type: "value", value: 1 } }));
  await clock.advance(0);
  stop.abort();
  go();
  await clock.advance(0);
  expect(told).toEqual(["accepted"]);
  expect(links[0]?.state).toBe("detached");
  expect(await codeOf(microserver.pipeline("orders", "invoices", () => null, { signal: stop.signal }))).toBe("aborted");
  await microserver.close();
  expect(clock.pending()).toBe(0);
});

test("listen() ends with its signal, also while the router does not answer, and leaves what it has in hand to be finished", async () => {
  const { clock, router, microserver } = world();
  router.onAsked = () => {};
  const stop = new AbortController();
  const waits = codeOf(microserver.listen("orders", () => {}, { signal: stop.signal }));
  await clock.advance(0);
  expect(microserver.status.links).toMatchObject([{ address: "orders", isAttached: false }]);
  stop.abort();
  await clock.advance(0);
  expect(await waits).toBe("aborted");
  expect(microserver.status.links).toEqual([]);
  expect(await codeOf(microserver.listen("orders", () => {}, { signal: stop.signal }))).toBe("aborted");
  await microserver.close();
  expect(clock.pending()).toBe(0);
});

test("request() ends with its microserver, though the router was never there", async () => {
  const { clock, router, microserver } = world();
  router.isUp = false;
  const waits = codeOf(microserver.request("prices", 1));
  await clock.advance(1_000);
  await Promise.all([microserver.end(), clock.advance(0)]);
  expect(await waits).toBe("closed");
  expect(clock.pending()).toBe(0);
});

test("listen() has no more at a time than its concurrency, and says what became of each", async () => {
  const { clock, router, microserver } = world();
  let link: Sender | null = null;
  router.onAsked = (asked) => {
    asked.accept();
    link = asked as Sender;
  };
  const told: unknown[] = [];
  router.onOutcome = ({ state }) => void told.push(state);
  const handled: { readonly body: unknown; end(error?: Error): void }[] = [];
  const listening = microserver.listen(
    "orders",
    ({ body }) =>
      new Promise<void>((resolve, reject) =>
        handled.push({ body, end: (error) => (error === undefined ? resolve() : reject(error)) }),
      ),
    { concurrency: 2 },
  );
  await clock.advance(0);
  await listening;
  const deliver = async (): Promise<void> => {
    while (link?.canSend() === true) link.send(encodeMessage({ body: { type: "value", value: handled.length } }));
    await clock.advance(0);
  };
  await deliver();
  expect(handled.length).toBe(2);
  handled[0]?.end(new Reject("no"));
  await clock.advance(0);
  await deliver();
  expect(handled.length).toBe(3);
  handled[1]?.end(new Error("later"));
  handled[2]?.end();
  await clock.advance(0);
  expect(told).toMatchObject([
    { type: "rejected", error: { description: "no" } },
    { type: "modified", deliveryFailed: true },
    { type: "accepted" },
  ]);
  await microserver.close();
});
