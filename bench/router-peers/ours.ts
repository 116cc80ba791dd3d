import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@datawire/runtime/testing";
import { BUNDLE_MAIN, bundleProgram } from "../../packaging/bundle.ts";
import { pidOf } from "../cpu.ts";
import { type Broker, fanOf } from "./broker.ts";

/** A queue of RabbitMQ through a link of the router. */
export const LINKED = "rabbit/bench";

/** Starts a router as the packages have it; with the port of a RabbitMQ it links to its queue. */
export async function startRouter(folder: string, rabbitPort: number | null): Promise<Broker> {
  const [port = 0] = await freePorts(1);
  mkdirSync(folder);
  await bundleProgram("router", join(folder, "program"));
  const main = join(folder, "program", BUNDLE_MAIN);
  const config = join(folder, "router.json");
  const settings = { data_dir: join(folder, "data"), web: "off", admin: "off" };
  const upstream = { url: `amqp://127.0.0.1:${rabbitPort}`, user: "guest", password: "guest" };
  const rule = { match: "rabbit/*", kind: "link", upstream: "rabbit", rewrite: "/amq/queue/$1" };
  const linked = rabbitPort === null ? {} : { addresses: [rule], upstreams: { rabbit: upstream } };
  writeFileSync(config, JSON.stringify({ ...settings, ...linked }));
  const start = async (): Promise<ChildProcess> => {
    const args = [main, "-c", config, "-p", String(port), "--log-format", "json"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    for await (const line of child.stderr) if (String(line).includes("Router is ready")) break;
    if (child.exitCode !== null) throw new Error(`Cannot start the router: it ended with ${child.exitCode}`);
    return child;
  };
  const kill = async (): Promise<void> => {
    router.kill("SIGKILL");
    await once(router, "exit");
  };
  let router = await start();
  return {
    name: "the router",
    port,
    folder,
    queue: (name) => name,
    fan: fanOf("topic/bench"),
    pids: () => [pidOf(router)],
    async restart() {
      await kill();
      router = await start();
    },
    stop: kill,
  };
}
