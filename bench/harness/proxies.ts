import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "../../e2e/harness/stack.ts";
import { eventually, sleep } from "../../e2e/harness/wait.ts";

/** Starts all that Sherlock needs, and gives where its HAProxy listens once the last of some services is served. */
export async function startSherlock(stack: Stack, names: readonly string[], backend: number): Promise<number> {
  await stack.startDirectory();
  const { port, child } = await stack.startInstance({ service: "unused", name: "check" });
  const files = names.map((name) => ({
    service: `//${name}`,
    version: "1",
    url: `http://127.0.0.1:${backend}`,
    instance: "one",
    liveness: { http: `http://127.0.0.1:${port}/liveness_check`, interval: "10s" },
  }));
  stack.writeServiceFile("services", files);
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  const { traffic } = await stack.ports();
  await eventually(async () => {
    const last = await fetch(`http://127.0.0.1:${traffic}/${names.at(-1)}/`);
    if (!last.ok) throw new Error(`${names.at(-1)} answers ${last.status}`);
  });
  await sleep(1_000);
  if (!child.running()) throw new Error("The instance that answers the checks has ended");
  return traffic;
}

/**
 * Starts the HAProxy that one would write by hand for some services.
 * @param sessionsOf a service whose sessions it keeps by a cookie of its own, SERVERID
 */
export function startHandWritten(
  folder: string,
  port: number,
  names: readonly string[],
  backend: number,
  sessionsOf: string | null = null,
): ChildProcess {
  const file = join(folder, "hand.cfg");
  writeFileSync(
    file,
    [
      "global",
      "  nbthread 1",
      "  maxconn 4096",
      "defaults",
      "  mode http",
      "  timeout connect 1s",
      "  timeout client 60s",
      "  timeout server 60s",
      "  http-reuse always",
      "frontend in",
      `  bind 127.0.0.1:${port}`,
      "  use_backend %[path,field(2,/)]",
      ...names.flatMap((name) => [
        `backend ${name}`,
        "  http-request replace-path /[^/]*(/.*)? \\1",
        ...(name === sessionsOf ? ["  cookie SERVERID insert indirect nocache"] : []),
        `  server one 127.0.0.1:${backend}${name === sessionsOf ? " cookie one" : ""}`,
      ]),
      "",
    ].join("\n"),
  );
  return spawn("haproxy", ["-q", "-f", file], { stdio: "ignore" });
}
