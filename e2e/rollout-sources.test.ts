import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { init, type Mdk, withSession } from "@datawire/mdk";
import { mdkFetch } from "@datawire/mdk/fetch";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePorts } from "@datawire/runtime/testing";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** What rollouts are judged by beside Sherlocks: a Prometheus, a gate, and calls of the library. */

let stack: Stack;
let mdk: Mdk | null = null;
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  await mdk?.stop();
  mdk = null;
  await stack.dispose();
});

interface Rollout {
  readonly id: string;
  readonly service: string;
  readonly state: string;
  readonly step: number;
  readonly reason: string | null;
  readonly steps: readonly {
    readonly state: string;
    readonly requests: number;
    readonly watchedMs: number;
    readonly checks: readonly { readonly name: string; readonly state: string; readonly target: number | null }[];
  }[];
}

const rollouts = async (): Promise<ReadonlyMap<string, Rollout>> => {
  const { rollouts: all } = await stack.read<{ rollouts: Rollout[] }>("/v1/rollouts");
  return new Map(all.map((one) => [one.service, one]));
};

const sample = (value: string): string =>
  JSON.stringify({ status: "success", data: { resultType: "vector", result: [{ metric: {}, value: [1, value] }] } });

/** Ways in which a Prometheus gives no number: each is asked below a path of its own. */
const WITHOUT_DATA: Readonly<Record<string, (res: ServerResponse) => void>> = {
  broken: (res) => void res.writeHead(500).end(sample("0.1")),
  huge: (res) => void res.writeHead(200).end(`${sample("0.1")}${" ".repeat(4 * 1_048_576)}`),
  moved: (res) => void res.writeHead(302, { location: "/good/api/v1/query?query=x" }).end(),
  odd: (res) => void res.writeHead(200).end("<html>"),
  // Neither an answer nor an end.
  slow: (res) => void res.writeHead(200).write(" "),
};

/** A Prometheus and a pipeline, which remember what they were asked. */
async function outside() {
  const asked: { readonly path: string; readonly query: string | null; readonly body: string }[] = [];
  const gateAnswers = [503, 302];
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    let body = "";
    req.setEncoding("utf8");
    req.on("data", (part: string) => (body += part));
    req.on("end", () => {
      const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
      const [, name = ""] = pathname.split("/");
      asked.push({ path: `${req.method} ${pathname}`, query: searchParams.get("query"), body });
      const without = Object.getOwnPropertyDescriptor(WITHOUT_DATA, name)?.value as
        | ((to: ServerResponse) => void)
        | undefined;
      if (without !== undefined) return without(res);
      if (name === "ci") return void res.writeHead(gateAnswers.shift() ?? 204, { location: "/good" }).end();
      res.writeHead(200).end(sample(name === "high" ? "0.9" : "0.1"));
    });
  };
  const server: Server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    count: (path: string): number => asked.filter((one) => one.path === path).length,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("a query that gives no number is never a pass, one beyond its limit takes it back, and a gate is asked until it agrees", async () => {
  using other = await outside();
  const [closed] = (await freePorts(1)) as [number];
  await stack.startDirectory();
  const { url } = await stack.startInstance({ service: "barker", name: "one" });
  const names = [...Object.keys(WITHOUT_DATA), "closed", "gated", "good", "high", "paused"];
  for (const name of names)
    for (const version of ["1", "2"])
      stack.writeServiceFile(`${name}-${version}`, {
        service: `//${name}`,
        version,
        url,
        instance: `${name}-${version}`,
      });
  await stack.startWatson();
  for (const name of names) await stack.lists(name, { [`${name}-1`]: "live", [`${name}-2`]: "live" });
  const start = async (name: string, file: object = {}): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${(await stack.ports()).directory}/v1/rollouts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        target: `//${name}(2)`,
        steps: "10%:1s,50%:1s",
        checks: [{ metric: "m", prometheus: `${other.url}/${name}/`, query: 'x{v="$version"}', limit: "<= 0.5" }],
        step_timeout: "2s",
        ...file,
      }),
    });
    expect({ name, status: response.status }).toEqual({ name, status: 200 });
  };
  await Promise.all(Object.keys(WITHOUT_DATA).map((name) => start(name)));
  const nowhere = { metric: "m", prometheus: `http://127.0.0.1:${closed}`, query: "x", limit: "<= 0.5" };
  await start("closed", { checks: [nowhere] });
  await start("high");
  await start("paused", {
    checks: [{ metric: "m", prometheus: `${other.url}/broken`, query: "x", limit: "<= 0.5" }],
    no_data: "pause",
  });
  await start("good", {
    steps: [{ share: "10%", for: "1s", gate: `${other.url}/ci/ok` }, "50%:1s"],
    step_timeout: "5m",
  });

  await start("gated", {
    steps: [{ share: "10%", for: "1s", gate: `http://127.0.0.1:${closed}/ok` }],
    checks: [{ metric: "m", prometheus: `${other.url}/good/`, query: "x", limit: "<= 0.5" }],
    step_timeout: "5m",
  });

  await eventually(async () => {
    const all = await rollouts();
    expect(all.get("gated")).toMatchObject({
      state: "running",
      reason: expect.stringMatching(
        /^the gate of step 1 does not agree: it is not answered: connection refused/,
      ) as string,
    });
    expect(all.get("good")).toMatchObject({ state: "promoted" });
    expect(all.get("high")).toMatchObject({
      state: "rolled-back",
      reason: "m failed: 0.9, where 0.5 is the limit",
    });
    expect(all.get("paused")).toMatchObject({
      state: "paused",
      reason: "m is without data in time: it is answered with 500",
    });
    // Long after their time-outs.
    for (const name of [...Object.keys(WITHOUT_DATA), "closed"])
      expect(all.get(name)?.steps[0]?.watchedMs).toBeGreaterThan(5_000);
  });
  const all = await rollouts();
  for (const name of [...Object.keys(WITHOUT_DATA), "closed"])
    expect(all.get(name)).toMatchObject({
      state: "running",
      step: 0,
      steps: [{ state: "running", checks: [{ name: "m", state: "no-data", target: null }] }, { state: "waiting" }],
    });

  const { problems } = await stack.read<{ problems: { subject: string; message: string }[] }>("/v1/status");
  const told = problems.filter(({ subject }) => subject.startsWith("rollout "));
  const silent = [...Object.keys(WITHOUT_DATA), "closed", "gated"].map(
    (name) => `rollout ${all.get(name)?.id} of //${name}(2)`,
  );
  expect(told.map(({ subject }) => subject).toSorted()).toEqual(silent.toSorted());
  const closedOne = told.find(({ subject }) => subject.endsWith("//closed(2)"));
  expect(closedOne?.message).toMatch(/^its query m is not answered: connection refused: nothing listens there/);

  const gatedOne = told.find(({ subject }) => subject.endsWith("//gated(2)"));
  expect(gatedOne?.message).toMatch(/^its gate of step 1 is not answered: connection refused: nothing listens there/);

  expect(other.asked.find(({ path }) => path === "GET /high/api/v1/query")?.query).toBe('x{v="2"}');
  // Nobody is sent to where a redirect leads.
  expect([other.count("GET /good"), other.count("POST /good")]).toEqual([0, 0]);
  const gate = other.asked.filter(({ path }) => path === "POST /ci/ok");
  // Twice it did not agree; an answer that came too late is asked for once more.
  expect(gate.length).toBeGreaterThanOrEqual(3);
  expect(JSON.parse(gate[0]?.body ?? "")).toMatchObject({
    service: "good",
    state: "running",
    step: 0,
    steps: [{ share: 10 }, {}],
  });
  expect(await instanceAt(`${url}/`)).toBe("one");
});

test("a version that fails 5% of the calls of a library is taken back by them alone", async () => {
  await stack.startDirectory();
  await stack.startInstance({ service: "barker", name: "old", version: "1" });
  await stack.startInstance({ service: "barker", name: "new", version: "2", failEvery: 20 });
  await stack.startWatson();
  await stack.lists("barker", { old: "live", new: "live" });
  const library = init({ name: "shop", directories: [await stack.directoryAddress()] }).start();
  mdk = library;
  await library.ready();
  const over = new AbortController();
  const call = async (): Promise<void> => void (await (await mdkFetch("http://barker/")).text());
  const calling = Promise.all(
    Array.from({ length: 10 }, async () => {
      while (!over.signal.aborted) {
        await withSession(library.session(), call);
        await sleep(48);
      }
    }),
  );
  // It is awaited at the end.
  calling.catch(() => {});
  const check = ["--check", "error-rate <= primary + 1%", "p99 <= 10s"];
  expect(await stack.dw("rollout", "start", "//barker(2)", "--steps", "10%:5m,50%:5m", ...check)).toMatchObject({
    code: 0,
  });
  const rollout = await eventually(async () => {
    const one = (await rollouts()).get("barker") as Rollout;
    expect(one.state).toBe("rolled-back");
    return one;
  });
  over.abort();
  await calling;
  expect(rollout.reason).toMatch(/^error-rate <= primary \+ 1% failed: /);
  // Of 20 a second, those of less than 30 s.
  expect(rollout.steps[0]?.requests).toBeLessThan(600);
  expect(rollout.steps[0]?.checks[1]).toMatchObject({ name: "p99 <= 10s" });
  expect(rollout.steps[0]?.checks[1]?.target).not.toBeNull();
  expect((await stack.read<{ tables: unknown }>("/v1/table")).tables).toEqual([]);
});
