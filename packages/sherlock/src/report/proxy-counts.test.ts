import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { BackendNames } from "../haproxy/backend-names.ts";
import { runtimeOf } from "../testing/runtime.ts";
import { ProxyCounts } from "./proxy-counts.ts";

const HEADER = "# pxname,svname,stot,econ,eresp,status,lastchg,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,type";

/** A HAProxy with one frontend and one server, which tells what it was asked. */
function createProxy() {
  const clock = createFakeClock();
  const asked: string[] = [];
  const state = { came: 0, served: 0, status: "UP" };
  const row = (name: string, count: number, [status, type]: readonly [string, number]): string =>
    `${HEADER}\n${name},${count},0,0,${status},9,0,${count},0,0,0,${type}\n`;
  const ask = async (line: string): Promise<string> => {
    asked.push(line);
    return line === "show stat -1 1 -1"
      ? row("http_in,FRONTEND", state.came, ["OPEN", 0])
      : row("s:v1,vm0:80", state.served, [state.status, 2]);
  };
  const counts = new ProxyCounts({ clock, runtime: runtimeOf(ask), names: new BackendNames() });
  const look = async (): Promise<number | null> => (await counts.look())?.[0]?.requests ?? null;
  return { clock, asked, state, look };
}

test("ProxyCounts asks for servers only when a frontend has counted something", async () => {
  const { clock, asked, state, look } = createProxy();
  expect(await look()).toBe(0);
  await clock.advance(5_000);
  expect(await look()).toBeNull();
  Object.assign(state, { came: 3, served: 2 });
  expect(await look()).toBe(2);
  state.served = 3;
  expect(await look()).toBeNull(); // the frontend counts the end of a request after the server
  state.came = 4;
  expect(await look()).toBe(3);
  expect(asked.filter((line) => line === "show stat -1 4 -1")).toHaveLength(3);
});

test("ProxyCounts looks at servers each half minute all the same, and each time while one is down", async () => {
  const { clock, state, look } = createProxy();
  await look();
  state.status = "DOWN";
  await clock.advance(29_000);
  expect(await look()).toBeNull();
  await clock.advance(1_000);
  expect(await look()).not.toBeNull();
  await clock.advance(1_000);
  expect(await look()).not.toBeNull();
  state.status = "UP";
  expect(await look()).not.toBeNull();
  await clock.advance(29_000);
  expect(await look()).toBeNull();
  await clock.advance(1_000);
  expect(await look()).not.toBeNull();
});

test("ProxyCounts takes what came between its two questions at the next look", async () => {
  const clock = createFakeClock();
  let came = 0;
  const ask = async (line: string): Promise<string> => {
    const isOfServers = line === "show stat -1 4 -1";
    const answer = `${HEADER}\n${isOfServers ? "s:v1,vm0:80" : "http_in,FRONTEND"},${came},0,0,UP,9,0,${came},0,0,0,2\n`;
    if (!isOfServers) came = 1;
    return answer;
  };
  const counts = new ProxyCounts({ clock, runtime: runtimeOf(ask), names: new BackendNames() });
  expect((await counts.look())?.[0]?.requests).toBe(1);
  expect((await counts.look())?.[0]?.requests).toBe(1);
  expect(await counts.look()).toBeNull();
});
