import { type Hello, helloSchema } from "@datawire/protocol";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { Counters } from "../../stats/counters.ts";
import { Faults } from "../../problems/faults.ts";
import { ConnectedClients, type LinkClient } from "./connected-clients.ts";
import { LinkFaults } from "./link-faults.ts";
import { SessionRegistry } from "./session-registry.ts";
import { Logs } from "../../traces/logs.ts";
import { momentOf } from "../../model/moment.ts";
import { ChangeExecutor } from "../../changes/change-executor.ts";
import { Publisher } from "../../feed/publisher.ts";
import { MemoryStore } from "../../testing/memory/memory-store.ts";
import { StepCounts } from "../../stats/step-counts.ts";
import { hello } from "../../testing/served.ts";
import { createState, LEASE_MS, registration, shown, unobserved } from "../../testing/worlds.ts";

function create() {
  const clock = createFakeClock();
  const state = createState();
  const log = noLog;
  const publisher = new Publisher(state.writer, { clock, epoch: "e", published() {} });
  const executor = new ChangeExecutor({
    board: new ProblemBoard(),
    state,
    store: new MemoryStore(),
    clock,
    log,
    observer: unobserved,
  });
  const links = new SessionRegistry({
    faults: new LinkFaults({ refused() {}, faults: new Faults(), clock, log }),
    state,
    executor,
    counters: new Counters(),
    stepCounts: new StepCounts(),
    publisher,
    logs: new Logs({ keep: async () => ({ state: "kept", body: new Uint8Array() }), clock }),
    clients: new ConnectedClients(),
    replication: { soon() {}, saved: async () => {}, isAliveAt: async () => false },
    clock,
    log,
  });
  /** Moves time on and ends the leases that are over by then. */
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    state.registry.endLeases(momentOf(clock));
  };
  return { state, links, pass };
}

const vm1: Hello = helloSchema.parse(hello("watson", "vm1"));
const session: LinkClient = {
  report: () => null,
  challenge: async () => true,
  sendDraining() {},
  restate() {},
};
const said = { instances: [registration("x@a")], local: true };

test("SessionRegistry takes the set of a Watson whose lease has ended between its hello and that", async () => {
  const { state, links, pass } = create();
  links.enter(session, vm1);
  links.register(vm1, said);
  links.leave(session, vm1);
  links.enter(session, vm1);
  await pass(LEASE_MS);
  expect(shown(state, "x")).toBe("");
  expect(() => links.update(vm1, { ...said, gone: [] })).toThrow("Cannot take an update before the whole set");
  expect(links.register(vm1, said).refusals).toEqual([]);
  expect(shown(state, "x")).toBe("a live");
  await pass(2 * LEASE_MS);
  expect(shown(state, "x")).toBe("a live");
});
