import { readdirSync, readFileSync } from "node:fs";
import { request } from "undici";
import { describe } from "../stats.ts";
import { traceIdOf } from "./span-maker.ts";

const QUESTIONS = [
  ["the newest 20", "/v1/traces?limit=20"],
  ["one trace", `/v1/traces/${traceIdOf(1_234)}`],
  ["one value among all", "/v1/traces?q=user.id%3D4242"],
  ["a word that all have", "/v1/traces?q=checkout&limit=20"],
  ["a word that none has", "/v1/traces?q=nothing"],
  ["errors of one service", "/v1/traces?service=service3&error=true&limit=20"],
  ["one value and errors", "/v1/traces?q=server.address%3Dvm7.example.com&service=service3&error=true&limit=20"],
  ["the slowest", "/v1/traces?min=999ms&limit=20"],
] as const;
const TIMES = 10;

/**
 * Asks a directory for what the spans of a `SpanMaker` have, and prints how long each question took, and how much of a core
 * the thread of traces: on a busy machine the first has the wait for a core in it.
 */
export async function askTraces(base: string, pid: number, print: (line: string) => void): Promise<void> {
  for (const [what, path] of QUESTIONS) {
    const times: number[] = [];
    let found = 0;
    const beforeMs = threadMs(pid);
    for (let i = 0; i < TIMES; i++) {
      const beganMs = performance.now();
      const answer = await request(`${base}${path}`);
      const text = await answer.body.text();
      times.push(performance.now() - beganMs);
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`);
      const { traces, spans } = JSON.parse(text) as { traces?: unknown[]; spans?: unknown[] };
      found = (traces ?? spans ?? []).length;
    }
    const cpuMs = Math.round((threadMs(pid) - beforeMs) / TIMES);
    print(`${describe(what, times, "ms")}; CPU ${cpuMs} ms each; ${found} found`);
  }
}

/** CPU time of the thread of traces so far, in milliseconds. */
function threadMs(pid: number): number {
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [name = "", rest = ""] = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8").split(") ");
    if (!name.endsWith("(traces")) continue;
    const fields = rest.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }
  return Number.NaN;
}

/** Of USER_HZ, a hundredth of a second. */
const TICK_MS = 10;
