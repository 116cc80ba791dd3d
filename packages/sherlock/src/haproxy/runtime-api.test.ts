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
  ["commands that were taken", (api) => api.run(["clear map /a"])],
])("a connection that ends without a word is not taken for %s", async (_, asks) => {
  const why = `Cannot ask HAProxy at ${path}: it ended the connection without an answer`;
  for (const api of [createRuntimeApi(path), createMasterApi(path)]) {
    await expect(asks(api)).rejects.toMatchObject({ code: "unreachable", message: why });
  }
});
