import { type Hello, helloSchema, type ServerMessage } from "@datawire/protocol";
import { expect, test } from "vitest";
import { EVERYTHING } from "../../access/grant.ts";
import type { ClientProblems } from "../../problems/client-problems.ts";
import type { SessionRegistry } from "../clients/session-registry.ts";
import { hello } from "../../testing/served.ts";
import { Registering } from "./registering.ts";

const vm1: Hello = helloSchema.parse(hello("watson", "vm1"));

/** Statements of a client, each of which is saved when the test says so. */
function create() {
  const saves: PromiseWithResolvers<void>[] = [];
  const sent: ServerMessage[] = [];
  const failures: unknown[] = [];
  const sessions = {
    faults: { refused() {} },
    register: () => ({ refusals: [], tellsDraining: false }),
    update: () => ({ refusals: [], tellsDraining: false }),
    saved() {
      const save = Promise.withResolvers<void>();
      saves.push(save);
      return save.promise;
    },
  } as unknown as SessionRegistry;
  const registering = new Registering({
    permit: { grant: EVERYTHING, ended: () => null },
    local: true,
    problems: { registered() {} } as unknown as ClientProblems,
    sessions: () => sessions,
    placement: () => null,
    answering: (work) => work(),
    send: (message) => void sent.push(message),
    failed: (error) => void failures.push(error),
  });
  const seqs = async (): Promise<number[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    return sent.map((message) => (message.type === "registered" ? message.seq : -1));
  };
  return { registering, saves, failures, seqs };
}

test("Registering answers in the order of what it was told, though a later statement is saved before", async () => {
  const { registering, saves, seqs } = create();
  registering.take(vm1, { type: "register", seq: 0, instances: [] });
  registering.take(vm1, { type: "update", seq: 1, instances: [], gone: [] });
  saves[1]?.resolve();
  expect(await seqs()).toEqual([]);
  saves[0]?.resolve();
  expect(await seqs()).toEqual([0, 1]);
});

test("Registering tells of a statement that cannot be saved, once", async () => {
  const { registering, saves, failures, seqs } = create();
  registering.take(vm1, { type: "register", seq: 0, instances: [] });
  registering.take(vm1, { type: "update", seq: 1, instances: [], gone: [] });
  saves[0]?.reject(new Error("the store has gone"));
  saves[1]?.resolve();
  expect(await seqs()).toEqual([1]);
  expect(failures).toEqual([new Error("the store has gone")]);
});
