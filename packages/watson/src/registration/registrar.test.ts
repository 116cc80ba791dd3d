import { registrationSchema, type Registration } from "@datawire/protocol";
import type { LinkSession } from "@datawire/link";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import type { Announcement } from "../monitor/monitor.ts";
import { Registrar } from "./registrar.ts";

const LEASE_MS = 15_000;
const replicas = [{ host: "a", port: 5430, tls: null }] as const;

function registration(name: string, over: Partial<Registration> = {}): Registration {
  return registrationSchema.parse({ service: "barker", name, url: "http://h:1", state: "live", ...over });
}

function fixture({ drained = new Set<string>() } = {}) {
  const clock = createFakeClock();
  const announced = new Map<string, Announcement>();
  const board = new ProblemBoard();
  const sent: Parameters<LinkSession["send"]>[0][] = [];
  const remembered: (readonly string[])[] = [];
  const registrar = new Registrar(replicas, drained, {
    clock,
    log: noLog,
    announcements: () => announced,
    board,
    onDrained: (keys) => void remembered.push(keys),
    onConfirmed() {},
  });
  const session: LinkSession = {
    replica: replicas[0],
    welcome: {
      type: "welcome",
      link: 1,
      directory: "//a/directory",
      version: "1",
      heartbeatMs: 5_000,
      leaseMs: LEASE_MS,
    },
    send: (message) => sent.push(message) > 0,
    reconnect() {},
  };
  const announce = async (one: Registration, directory: string | null = null): Promise<void> => {
    announced.set(`barker@${one.name}`, { directory, registration: one });
    registrar.changed();
    await clock.advance(10);
  };
  return { clock, announced, board, sent, remembered, registrar, session, announce };
}

test("Registrar says nothing before it is opened, then states the whole set", async () => {
  const { clock, sent, registrar, session, announce } = fixture();
  registrar.connected(session);
  await announce(registration("a"));
  expect(sent).toEqual([]);
  registrar.open();
  await clock.advance(10);
  expect(sent).toEqual([{ type: "register", seq: 0, instances: [registration("a")] }]);
});

test("Registrar sends what changed and nothing else, and the whole set again on the next connection", async () => {
  const { sent, registrar, session, announce, clock } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  await announce(registration("b"));
  await announce(registration("b"));
  expect(sent.slice(1)).toEqual([{ type: "update", seq: 1, instances: [registration("b")], gone: [] }]);
  registrar.disconnected();
  await announce(registration("c"));
  expect(sent).toHaveLength(2);
  registrar.connected(session);
  await clock.advance(10);
  expect(sent[2]).toMatchObject({ type: "register", instances: [{ name: "a" }, { name: "b" }, { name: "c" }] });
});

test("Registrar tells the first change after a calm at once, and what follows it closely in one message", async () => {
  const { sent, registrar, session, announced, announce, clock } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  for (const name of ["b", "c", "d"]) {
    announced.set(`barker@${name}`, { directory: null, registration: registration(name) });
    registrar.changed();
    await clock.advance(0);
  }
  expect(sent.slice(1)).toMatchObject([{ type: "update", instances: [{ name: "b" }] }]);
  await clock.advance(10);
  expect(sent.slice(2)).toMatchObject([{ type: "update", instances: [{ name: "c" }, { name: "d" }] }]);
});

test("Registrar leaves out what is for another directory", async () => {
  const { sent, registrar, session, announce } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"), "b:5430");
  await announce(registration("b"), "a:5430");
  expect(sent).toMatchObject([{ instances: [] }, { instances: [{ name: "b" }] }]);
});

test("Registrar is up to date once the directory has confirmed what it was sent last", async () => {
  const { registrar, session, announce } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  expect(registrar.isUpToDate).toBe(false);
  registrar.message({ type: "registered", seq: 0, refused: [] });
  expect(registrar.isUpToDate).toBe(true);
  await announce(registration("b"));
  expect(registrar.isUpToDate).toBe(false);
});

test("Registrar is up to date once the last of its messages is answered, in whichever order they are", async () => {
  const { registrar, session, announce } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  await announce(registration("b"));
  registrar.message({ type: "registered", seq: 1, refused: [] });
  registrar.message({ type: "registered", seq: 0, refused: [] });
  expect(registrar.isUpToDate).toBe(true);
});

test("Registrar tries again after a lease what the directory refused", async () => {
  const { clock, sent, registrar, session, announce } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  registrar.message({
    type: "registered",
    seq: 0,
    refused: [{ instance: "barker@a", code: "conflict", message: "held" }],
  });
  await clock.advance(LEASE_MS - 100);
  expect(sent).toHaveLength(1);
  await clock.advance(200);
  expect(sent[1]).toEqual({ type: "update", seq: 1, instances: [registration("a")], gone: [] });
});

test("Registrar takes out what an operator drained, remembers it, and brings it back", async () => {
  const { clock, sent, remembered, registrar, session, announce } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  registrar.message({ type: "draining", instances: ["barker@a"] });
  await clock.advance(10);
  expect(sent[1]).toMatchObject({ instances: [{ name: "a", state: "draining", reason: "drained by an operator" }] });
  registrar.message({ type: "draining", instances: [] });
  await clock.advance(10);
  expect(sent[2]).toMatchObject({ instances: [{ name: "a", state: "live" }] });
  expect(remembered).toEqual([["barker@a"], []]);
});

test("Registrar keeps a drain of before a restart", async () => {
  const { sent, registrar, session, announce } = fixture({ drained: new Set(["barker@a"]) });
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  expect(sent[0]).toMatchObject({ instances: [{ state: "draining" }] });
});

test("Registrar reports the problems of service files once", async () => {
  const { clock, board, sent, registrar, session, announce } = fixture();
  board.set("service files", [{ subject: "/etc/datawire.d/x.yaml:2:3", message: "url is missing" }]);
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  await announce(registration("b"));
  const reports = sent.filter(({ type }) => type === "problems");
  expect(reports).toEqual([
    { type: "problems", problems: [{ subject: "/etc/datawire.d/x.yaml:2:3", message: "url is missing" }] },
  ]);
  board.set("service files", []);
  registrar.changed();
  await clock.advance(10);
  expect(sent.at(-1)).toEqual({ type: "problems", problems: [] });
});

test("Registrar takes everything back when it leaves", async () => {
  const { sent, registrar, session, announce } = fixture();
  registrar.open();
  registrar.connected(session);
  await announce(registration("a"));
  registrar.withdraw();
  await announce(registration("b"));
  expect(sent.slice(1)).toEqual([{ type: "register", seq: 1, instances: [] }]);
});
