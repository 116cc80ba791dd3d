import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TraceSummary } from "@datawire/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asRoot } from "./harness/as-root.ts";
import { type Child, watchChild } from "./harness/child.ts";
import { programFile } from "./harness/programs.ts";
import { freePorts } from "@datawire/runtime/testing";

/** Traces on a disk of their own that is far smaller than `traces.size`. */

let folder = "";
let directory: Child | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dstack-full-"));
});
afterEach(async () => {
  directory?.kill("SIGKILL");
  await directory?.exited;
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a directory whose `traces` lie on a file system that nobody but it sees. */
async function start(size: string): Promise<string> {
  const data = join(folder, "data");
  mkdirSync(join(data, "traces"), { recursive: true, mode: 0o700 });
  const [port = 0] = await freePorts(1);
  const script = 'mount -t tmpfs -o "size=$1,mode=700" none "$2"; shift 2; exec "$@"';
  const main = programFile("directory");
  const own = [
    process.execPath,
    main,
    "-n",
    "localhost",
    "-p",
    String(port),
    "--data-dir",
    data,
    "--log-format",
    "json",
  ];
  const [file, ...rest] = asRoot(["unshare", "--mount", "sh", "-ec", script, "sh", size, join(data, "traces"), ...own]);
  directory = watchChild(spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"] }), "directory");
  await directory.line((line) => /is ready"/.test(line));
  return `http://127.0.0.1:${port}`;
}

function spansFrom(first: number, count: number): string {
  const spans = Array.from({ length: count }, (_, i) => ({
    traceId: (first + i).toString(16).padStart(32, "0"),
    spanId: "00000000000000a1",
    name: `span ${first + i}`,
    startTimeUnixNano: `${Date.now()}000000`,
    endTimeUnixNano: `${Date.now()}000000`,
    attributes: [{ key: "filler", value: { stringValue: `${first + i} ${"x".repeat(1_000)}` } }],
  }));
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

async function send(base: string, first: number, count: number): Promise<number> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${base}/v1/traces`, { method: "POST", headers, body: spansFrom(first, count) });
  await answer.text();
  return answer.status;
}

test("on a full disk the oldest make room, and the directory serves on", async () => {
  const base = await start("8m");
  const batches = 80;
  for (let i = 0; i < batches; i++) expect([i, await send(base, 1 + i * 200, 200)]).toEqual([i, 200]);
  const { traces, dropped } = (await (await fetch(`${base}/v1/traces?limit=1000`)).json()) as {
    traces: TraceSummary[];
    dropped: Record<string, number>;
  };
  expect(traces[0]?.name).toMatch(/^span 1[56]\d\d\d$/);
  expect(dropped["size"]).toBeGreaterThan(1_000);
  const status = (await (await fetch(`${base}/v1/status`)).json()) as { problems: { subject: string }[] };
  expect(status.problems.filter(({ subject }) => subject === "traces")).toEqual([]);
});

test("on a disk without any room nothing is kept and it is said so, and the directory serves on", async () => {
  const base = await start("200k");
  expect(await send(base, 1, 50)).toBe(503);
  const metrics = await (await fetch(`${base}/metrics`)).text();
  expect(metrics).toContain('datawire_traces_dropped_total{reason="disk"} 50');
  const status = (await (await fetch(`${base}/v1/status`)).json()) as { problems: object[] };
  expect(status.problems).toContainEqual(
    expect.objectContaining({
      subject: "traces",
      severity: "error",
      message: expect.stringContaining("none are kept since"),
    }),
  );
  const added = await fetch(`${base}/v1/services`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ service: "//other" }),
  });
  expect(added.status).toBe(200);
});
