import { expect, test } from "vitest";
import { linesOf } from "../../testing/runtime.ts";
import { parseStat, type ServerCounts, Statistics } from "./statistics.ts";

const HEADER =
  "# pxname,svname,scur,stot,econ,eresp,status,lastchg,type,check_status,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,last_chk,ttime,ttime_max,agent,";
const row = (names: string, { requests = 1, status = "UP", lastChk = "", type = 2, seconds = 7 } = {}): string =>
  `${names},4,${requests},2,3,${status},${seconds},${type},* L4CON,0,${requests},0,5,6,${lastChk},8,9,x,`;
const answer = (...rows: readonly string[]): string => [HEADER, ...rows, "", ""].join("\n");

test("parseStat() reads what servers of services have counted", () => {
  const rows = [
    row("http_in,FRONTEND", { type: 0 }),
    row("pages,sherlock"),
    row("s:v1,FB.s:v1"),
    row("s:v1,vm1:80", { requests: 12 }),
    row("s:v1,BACKEND", { type: 1 }),
    row("spare-1,two"),
  ];
  const own = (name: string): string => (name === "spare-1" ? "t:v2" : name);
  const one = { responses: [0, 12, 0, 5, 6], requests: 12, unreached: 2, refused: 3, averageMs: 8, maxMs: 9 };
  expect(parseStat(answer(...rows), own)).toEqual([
    { id: "s:v1/vm1:80", backend: "s:v1", server: "vm1:80", ...one, down: null },
    { id: "t:v2/two", backend: "t:v2", server: "two", ...one, requests: 1, responses: [0, 1, 0, 5, 6], down: null },
  ]);
});

test("parseStat() reads values with commas and quotes in them", () => {
  const lastChk = '"refused, it says ""no"""';
  const [one, two] = parseStat(
    answer(row("s:v1,a:80", { status: "DOWN 1/2", lastChk, seconds: 30 }), row("s:v1,b:80", { requests: 5 })),
  );
  expect(one?.down).toEqual({ seconds: 30, check: "L4CON", detail: 'refused, it says "no"' });
  expect(two).toMatchObject({ server: "b:80", requests: 5, maxMs: 9 });
});

test.each([
  ["nothing", ""],
  ["another answer", "Unknown command: show stat\n"],
  ["a header alone", HEADER],
  ["a header without types", `${HEADER.replace(",type,", ",kind,")}\n${row("s:v1,a:80")}\n`],
  ["a row that ends early", `${HEADER}\ns:v1,a:80,4,1,2,3,UP,7\n`],
  ["quotes that do not end", `${HEADER}\ns:v1,a:80,${'"a",'.repeat(5_000)}\n`],
])("parseStat() finds no server in %s", (_what, text) => expect(parseStat(text)).toEqual([]));

/** Reads an answer that comes a line at a time. */
function readAll(statistics: Statistics, answer: string): ServerCounts[] {
  const reading = statistics.begin();
  for (const line of linesOf(answer)) reading.take(line);
  return reading.end();
}

test("Statistics reads of an answer that comes in parts what it reads of a whole one", () => {
  const whole = answer(row("s:v1,a:80"), row("s:v1,b:80", { status: "DOWN" }), row("s:v2,c:80", { requests: 7 }));
  expect(parseStat(whole)).toHaveLength(3);
  expect(readAll(new Statistics(), whole)).toEqual(parseStat(whole));
  expect(new Statistics().begin().end()).toEqual([]);
});

test("Statistics gives the same object for as long as nothing was counted", () => {
  const statistics = new Statistics();
  const [a, b] = readAll(statistics, answer(row("s:v1,a:80"), row("s:v1,b:80")));
  const later = readAll(statistics, answer(row("s:v1,a:80", { seconds: 12 }), row("s:v1,b:80", { requests: 2 })));
  expect(later[0]).toBe(a);
  expect(later[1]).toMatchObject({ ...b, requests: 2, responses: [0, 2, 0, 5, 6] });
  const down = row("s:v1,a:80", { status: "DOWN", seconds: 1 });
  expect(readAll(statistics, answer(down))).toMatchObject([{ id: "s:v1/a:80", down: { seconds: 1 } }]);
  expect(readAll(statistics, answer(row("s:v1,a:80")))).toEqual([a]);
  // One that was away is read anew.
  expect(readAll(statistics, answer(row("s:v1,a:80"), row("s:v1,b:80")))[1]).toEqual(b);
});

test("Statistics follows a header that changes, as after an upgrade of HAProxy", () => {
  const statistics = new Statistics();
  readAll(statistics, answer(row("s:v1,a:80")));
  const header = "# pxname,svname,type,stot";
  expect(readAll(statistics, `${header}\ns:v1,a:80,2,44\n`)).toMatchObject([{ requests: 44, maxMs: 0 }]);
});
