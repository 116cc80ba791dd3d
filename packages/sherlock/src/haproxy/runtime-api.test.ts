import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMasterApi, createRuntimeApi, type RuntimeApi } from "./runtime-api.ts";

let folder: string;
let path: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shk-"));
  path = join(folder, "runtime.sock");
  // As a worker or a master that goes away with a question that it has taken.
  server = createServer({ allowHalfOpen: true }, (socket) => socket.resume().once("data", () => socket.end()));
  await new Promise<void>((resolve) => server.listen(path, resolve));
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

test.each<[string, (api: RuntimeApi) => Promise<unknown>]>([
  ["an empty map", (api) => api.ask("show map /a")],
  ["counts of nothing", (api) => api.read("show stat", () => {})],
  ["commands that were taken", (api) => api.run(["clear map /a"])],
])("a connection that ends without a word is not taken for %s", async (_, asks) => {
  const why = `Cannot ask HAProxy at ${path}: it ended the connection without an answer`;
  for (const api of [createRuntimeApi(path), createMasterApi(path)]) {
    await expect(asks(api)).rejects.toMatchObject({ code: "unreachable", message: why });
  }
});

test("what reads an answer and fails is told so, and nobody else", async () => {
  const wordy = createServer({ allowHalfOpen: true }, (socket) => socket.resume().end("one\ntwo\n"));
  const at = join(folder, "wordy.sock");
  await new Promise<void>((resolve) => wordy.listen(at, resolve));
  try {
    const reading = createRuntimeApi(at).read("show stat", () => {
      throw new TypeError("Cannot read it");
    });
    await expect(reading).rejects.toThrow(new TypeError("Cannot read it"));
    await expect(createRuntimeApi(at).ask("show stat")).resolves.toBe("one\ntwo\n");
  } finally {
    wordy.close();
  }
});

test("read() gives whole lines, and ask() the same text, however an answer comes", async () => {
  const answer = `# größe,ñame\n${"a server of some length,".repeat(6_000)}\n\nlast,✓\nwithout an end`;
  const bytes = Buffer.from(answer);
  const uneven = createServer({ allowHalfOpen: true }, (socket) => {
    // Parts that end within a line, within a letter of two and of three bytes, and of one byte.
    const cuts = [3, 5, 6, 40, 70_000, bytes.length - 20, bytes.length - 19, bytes.length];
    void (async () => {
      for (const [i, end] of cuts.entries()) {
        await new Promise((resolve) => socket.write(bytes.subarray(cuts[i - 1] ?? 0, end), resolve));
        await new Promise(setImmediate);
      }
      socket.end();
    })();
  });
  const at = join(folder, "uneven.sock");
  await new Promise<void>((resolve) => uneven.listen(at, resolve));
  try {
    const api = createRuntimeApi(at);
    const parts: string[] = [];
    const [, whole] = await Promise.all([api.read("show stat", (lines) => parts.push(lines)), api.ask("show stat")]);
    expect(whole).toBe(answer);
    expect(parts.join("")).toBe(answer);
    expect(parts.slice(0, -1).filter((part) => !part.endsWith("\n"))).toEqual([]);
  } finally {
    uneven.close();
  }
});
