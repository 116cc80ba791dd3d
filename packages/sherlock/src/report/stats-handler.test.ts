import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { startAdmin } from "@datawire/http";
import { createReadiness, createRegistry, noLog } from "@datawire/runtime";
import { expect, onTestFinished, test } from "vitest";
import { removeFolder, temporaryFolder } from "../testing/places.ts";
import { statsHandler } from "./stats-handler.ts";

test("statsHandler() lets go of HAProxy when whoever reads the page has gone", async () => {
  const folder = await temporaryFolder();
  const socketPath = join(folder, "stats.sock");
  const ended = Promise.withResolvers<void>();
  const haproxy = createServer((req, res) => {
    req.socket.once("close", () => ended.resolve());
    const write = (): void => {
      while (res.write("x".repeat(65_536)));
      res.once("drain", write);
    };
    write();
  });
  await once(haproxy.listen(socketPath), "listening");
  const stop = new AbortController();
  onTestFinished(async () => {
    stop.abort();
    haproxy.closeAllConnections();
    haproxy.close();
    await removeFolder(folder);
  });
  const { address } = await startAdmin(
    { listen: { host: "127.0.0.1", port: 0 }, setting: "--admin" },
    {
      readiness: createReadiness(),
      registry: createRegistry("sherlock"),
      log: noLog,
      handlers: [statsHandler(socketPath)],
    },
    stop.signal,
  );
  const asked = get({ ...address, path: "/haproxy" });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  asked.destroy();
  await ended.promise;
});
