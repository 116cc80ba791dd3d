import { type Registration, registrationSchema } from "@datawire/protocol";
import { expect, test } from "vitest";
import { forget, stateAll, stateChanges, withDrain } from "./statements.ts";

function registration(name: string, over: Partial<Registration> = {}): Registration {
  return registrationSchema.parse({ service: "barker", name, url: "http://h:1", state: "live", ...over });
}

const setOf = (...list: Registration[]): Map<string, Registration> =>
  new Map(list.map((one) => [`barker@${one.name}`, one]));

test("stateAll() states the whole set", () => {
  const { message } = stateAll(setOf(registration("a"), registration("b")));
  expect(message).toMatchObject({ type: "register", seq: 0, instances: [{ name: "a" }, { name: "b" }] });
});

test("stateChanges() says nothing when nothing changed", () => {
  const { told } = stateAll(setOf(registration("a")));
  expect(stateChanges(told, setOf(registration("a")))).toBeNull();
});

test("stateChanges() names what is new, what changed and what is gone, and nothing else", () => {
  const { told } = stateAll(setOf(registration("a"), registration("b"), registration("c")));
  const next = stateChanges(told, setOf(registration("a"), registration("b", { weight: 5 }), registration("d")));
  expect(next?.message).toEqual({
    type: "update",
    seq: 1,
    instances: [registration("b", { weight: 5 }), registration("d")],
    gone: ["barker@c"],
  });
  expect(next?.told.seq).toBe(2);
});

test("forget() has an instance stated again, and does not withdraw it when it is wanted no more", () => {
  const { told } = stateAll(setOf(registration("a")));
  const refused = forget(told, ["barker@a"]);
  expect(stateChanges(refused, setOf(registration("a")))?.message).toMatchObject({ instances: [{ name: "a" }] });
  expect(stateChanges(refused, setOf())).toBeNull();
});

test("withDrain() takes a live instance out, and leaves one that is down as it is", () => {
  expect(withDrain(registration("a"), true)).toMatchObject({ state: "draining", reason: "drained by an operator" });
  expect(withDrain(registration("a"), false)).toMatchObject({ state: "live" });
  expect(withDrain(registration("a", { state: "down", reason: "503" }), true)).toMatchObject({ state: "down" });
});
