import { randomBytes } from "node:crypto";
import type { Span, TraceSummary } from "@datawire/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Spans of requests through Sherlock, on a real directory. */

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

const PARENT = "00f067aa0ba902b7";

/** Asks for something within a trace of its own. @returns the id of that. */
async function ask(path: string): Promise<string> {
  const traceId = randomBytes(16).toString("hex");
  await fetch(await stack.url(path), { headers: { traceparent: `00-${traceId}-${PARENT}-01` } });
  return traceId;
}

async function shown(traceId: string): Promise<readonly Span[]> {
  const { code, stdout, stderr } = await stack.dw("trace", "show", traceId, "--json");
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { readonly spans: readonly Span[] }).spans;
}

test("requests are found by dw trace, with the instance of each, also those of while the directory was away", async () => {
  const directory = await stack.startDirectory();
  await stack.startInstance({ service: "emitter", name: "good", version: "1.4.2" });
  await stack.startInstance({ service: "broken", name: "bad", version: "2", failEvery: 1 });
  await stack.startWatson();
  const sherlock = await stack.startSherlock([], { spans: "100%", explain: "on" });
  await stack.lists("emitter", { good: "live" });
  await stack.lists("broken", { bad: "live" });
  await eventually(async () => expect((await fetch(await stack.url("/emitter/"))).status).toBe(200));
  await eventually(async () => expect((await fetch(await stack.url("/broken/"))).status).toBe(500));

  const why = await fetch(await stack.url("/emitter/"), { headers: { "X-Datawire-Explain": "1" } });
  expect(Object.fromEntries(why.headers)).toMatchObject({
    "x-datawire-caller": "monolith",
    "x-datawire-rule": expect.stringMatching(/^100%, the primary/),
    "x-datawire-instance": "good",
    "x-datawire-revision": expect.stringMatching(/^\d+$/),
  });
  const good = await ask("/emitter/orders?secret=1");
  const bad = await ask("/broken/x");
  await eventually(async () => {
    expect(await shown(good)).toMatchObject([
      {
        traceId: good,
        parentId: PARENT,
        name: "GET /emitter/orders",
        kind: "client",
        status: "ok",
        service: "emitter",
        version: "1.4.2",
        instance: "good",
        attributes: { "datawire.caller": "monolith", "http.response.status_code": 200 },
      },
    ]);
    const errors = await stack.dwJson<TraceSummary[]>("trace", "list", "--error", "--service", "//broken");
    expect(errors.map(({ traceId }) => traceId)).toContain(bad);
  });

  // The next one adopts HAProxy, which goes on telling.
  sherlock.kill("SIGUSR1");
  await sherlock.exited;
  await stack.startSherlock([], { spans: "100%", explain: "on" });
  directory.kill("SIGTERM");
  await directory.exited;
  const away = await ask("/emitter/away");
  await stack.startDirectory();
  await eventually(async () => expect(await shown(away)).toMatchObject([{ instance: "good" }]));
  await eventually(async () =>
    expect(await stack.metric("sherlock", "datawire_sherlock_spans_total")).toBeGreaterThan(0),
  );
  expect(await stack.metric("sherlock", "datawire_sherlock_spans_dropped_total")).toBe(0);
});
