import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, noLog, systemClock } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HaproxyProcess } from "./haproxy-process.ts";
import { describeRunDir } from "./run-dir.ts";

let folder: string;
let servers: Server[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shk-"));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A socket that answers as HAProxy would. */
function answering(path: string, answer: (line: string) => string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => socket.end(answer(String(data).trim())));
  });
  servers.push(server);
  return new Promise((resolve) => server.listen(path, resolve));
}

/** The answer of a master that goes away to reload, before HAProxy 2.7: none; the worker takes its time. */
const SLOW = "slow";

/** A process whose master answers `reload` with these, one after the other; each that succeeds brings `new`. */
async function adopted(...reloads: string[]): Promise<{ readonly haproxy: HaproxyProcess; asked(): number }> {
  const dir = describeRunDir(folder);
  let generation = "old";
  let asked = 0;
  let reloaded = 0;
  await answering(dir.sockets.runtime, () => `Description: sherlock ${generation}\n`);
  await answering(dir.sockets.master, (line) => {
    if (line !== "reload")
      return `${process.pid} master ${reloaded} [failed: 0] 0d00h00m07s 2.6.12\n# workers\n# old workers\n`;
    const said = reloads[asked++] ?? "";
    if (said.startsWith("Success=1")) generation = "new";
    if (said !== SLOW) return said;
    // It has begun, and the new worker comes when another request would have come.
    reloaded++;
    setTimeout(() => (generation = "new"), 1_500);
    return "";
  });
  const haproxy = new HaproxyProcess(
    { command: "haproxy", dir, runtimeSocket: true },
    { clock: systemClock, log: noLog },
  );
  expect(await haproxy.adopt()).toBe("old");
  return { haproxy, asked: () => asked };
}

test("HaproxyProcess.reload() takes the word of HAProxy 2.7 and newer", async () => {
  const { haproxy, asked } = await adopted("Success=1\n--\n[NOTICE] (7) : Loading success.\n");
  await haproxy.reload("new");
  haproxy.leave();
  expect(asked()).toBe(1);
});

test("HaproxyProcess.reload() says at once why HAProxy 2.7 and newer refused", async () => {
  const { haproxy } = await adopted("Success=0\n--\n[ALERT] (7) : config : port 6001 is taken\n[NOTICE] (7) : bye\n");
  await expect(haproxy.reload("new")).rejects.toThrow(
    "Cannot reload HAProxy: it refused (config : port 6001 is taken)",
  );
  haproxy.leave();
});

test("HaproxyProcess.reload() asks again when another one was under way", async () => {
  const { haproxy, asked } = await adopted("another reload is still in progress.\n", "Success=1\n--\n");
  await haproxy.reload("new");
  haproxy.leave();
  expect(asked()).toBe(2);
});

test("HaproxyProcess.reload() does not ask again while HAProxy is at it, which would replace the worker once more", async () => {
  const { haproxy, asked } = await adopted(SLOW, "Success=1\n--\n");
  await haproxy.reload("new");
  haproxy.leave();
  expect(asked()).toBe(1);
});

test("HaproxyProcess.oldWorkers waits for a master that a busy machine keeps from answering", async () => {
  const dir = describeRunDir(folder);
  let nowMs = 0;
  const asked: string[] = [];
  const state = `${process.pid} master 0 [failed: 0] 0d00h00m07s 2.6.12\n# workers\n# old workers\n${process.pid} worker 1\n`;
  const serve = () =>
    answering(dir.sockets.master, (line) => {
      asked.push(line);
      return line === "show proc" ? state : "Stopping: 1\n";
    });
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => nowMs,
    // Three seconds go by before it answers.
    async sleep(ms) {
      nowMs += ms;
      if (nowMs === 3_000) await serve();
    },
  };
  await answering(dir.sockets.runtime, () => "Description: sherlock old\n");
  const haproxy = new HaproxyProcess({ command: "haproxy", dir, runtimeSocket: true }, { clock, log: noLog });
  expect(await haproxy.adopt()).toBe("old");
  for (const server of servers.splice(1)) server.close();
  [nowMs, asked.length] = [0, 0];
  await haproxy.oldWorkers.retire(["one"]);
  haproxy.leave();
  expect(asked).toEqual(["show proc", `@!${process.pid} show info`, `@!${process.pid} one`, "show proc"]);
});
