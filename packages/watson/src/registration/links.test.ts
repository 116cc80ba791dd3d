import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock, eventually } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import type { Replicas } from "../model/directories.ts";
import { Links, type LinksConfig } from "./links.ts";

// Nothing listens on port 1, so that each attempt ends at once and the next waits for the clock.
const directory = (host: string): Replicas => [{ host, port: 1, tls: null }];

function settings(...directories: readonly Replicas[]): LinksConfig {
  const identity = { kind: "watson", name: "h", id: "12345678", version: "1" } as const;
  return { directories, identity, token: null, tls: null };
}

function create(board = new ProblemBoard()): Links {
  const drains = { drained: () => new Set<string>(), rememberDrained() {} };
  const clock = createFakeClock();
  return new Links({ clock, log: noLog, board, random: () => 0.5, announcements: () => new Map(), drains });
}

const namesOf = (links: Links): string[] => [...links.registrars()].map(({ name }) => name);

test("Links.reconcile() keeps what stays, leaves what goes and takes up what is new", async () => {
  const links = create();
  await links.reconcile(settings(directory("127.0.0.1"), directory("127.0.0.2")));
  const [first] = links.registrars();
  await links.reconcile(settings(directory("127.0.0.1"), directory("127.0.0.3")));
  expect(namesOf(links)).toEqual(["//127.0.0.1:1/directory", "//127.0.0.3:1/directory"]);
  expect([...links.registrars()][0]).toBe(first);
  await links.stop();
});

test("Links.reconcile() links to nothing after stop(), as nobody would end that", async () => {
  const links = create();
  await links.reconcile(settings(directory("127.0.0.1")));
  const late = links.reconcile(settings(directory("127.0.0.2"))); // waits for the first link to end
  await links.stop();
  await late;
  expect(namesOf(links)).toEqual([]);
});

test("Links tells the other directories of one that cannot be reached, until it is left", async () => {
  const board = new ProblemBoard();
  const links = create(board);
  await links.reconcile(settings(directory("127.0.0.1")));
  await eventually(() =>
    expect(board.list()).toMatchObject([
      { subject: "//127.0.0.1:1/directory", message: expect.stringContaining("cannot be reached") as string },
    ]),
  );
  await links.stop();
  expect(board.list()).toEqual([]);
});
