import { createApiClient, type RouteListing } from "@datawire/api";
import { expect, test } from "vitest";
import { type ShareEdit, sharesCommand } from "../../core/command.ts";
import { askShares, changedShares, draftOf, readPercent } from "./shares-draft.ts";

const route = (caller: string, target: string, percent: number): RouteListing => ({
  caller,
  service: "barker",
  target,
  percent,
  status: "active",
  reading: "caller",
  when: null,
  sticky: null,
  expires: null,
});

test("draftOf() takes the routes of that caller alone", () => {
  const routes = [route("*", "//barker(2)", 10), route("monolith", "//barker(3)", 20)];
  expect([...draftOf(routes, "monolith")]).toEqual([["//barker(3)", "20"]]);
});

test("changedShares() are those that say another number, and new ones", () => {
  const before = new Map([
    ["a", "10"],
    ["b", "20"],
  ] as const);
  const draft = new Map([
    ["a", "10.0"],
    ["b", "30"],
    ["c", ""],
  ] as const);
  expect(changedShares(draft, before)).toEqual([
    ["b", "30"],
    ["c", ""],
  ]);
});

test.each([
  ["0", 0],
  ["12.5", 12.5],
  ["100.1", null],
  ["-1", null],
  ["", null],
  ["x", null],
])("readPercent() of %j is %s", (text, expected) => {
  expect(readPercent(text)).toBe(expected);
});

const EDIT = { caller: "monolith", service: "barker", when: "", sticky: "", lifetime: "" };
const TWO = [
  { target: "//barker(2)", percent: 10 },
  { target: "//barker(3)", percent: 20 },
];

test.each<[string, ShareEdit, string, object]>([
  ["several shares", { ...EDIT, targets: TWO }, "PUT", { source: "//monolith", targets: TWO }],
  [
    "one share, with what it holds for",
    { ...EDIT, targets: TWO.slice(0, 1), when: "path:/new", lifetime: "2h" },
    "POST",
    { source: "//monolith", target: "//barker(2)", percent: 10, when: "path:/new", for: "2h" },
  ],
])("askShares() asks for %s as the command says it", async (_, edit, method, body) => {
  const asked: unknown[] = [];
  const client = createApiClient(async (...question) => {
    asked.push(question);
    return { epoch: "e", revision: 1, routes: [], distribution: null, notes: [], changed: false };
  });
  await askShares(client, { edit, dryRun: true });
  expect(asked).toEqual([[method, "/v1/routes", { ...body, reading: "caller", dryRun: true }]]);
  expect(sharesCommand(edit)).toContain(method === "PUT" ? "dw route set" : "dw route add");
});
