import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { eventually } from "../../e2e/harness/wait.ts";
import { pidOf } from "../cpu.ts";
import { type Broker, fanOf } from "./broker.ts";

/** Artemis of an unpacked distribution, as its `create` sets it up for this disk, without its console. */
export async function startArtemis(home: string, folder: string): Promise<Broker> {
  const [port = 0] = await freePorts(1);
  const user = ["--user", "bench", "--password", "bench", "--allow-anonymous"];
  const others = ["hornetq", "mqtt", "stomp", "amqp"].map((name) => `--no-${name}-acceptor`);
  const bare = ["--silent", "--no-web", "--default-port", String(port), "--queues", "bench:anycast,backlog:anycast"];
  await promisify(execFile)(join(home, "bin/artemis"), ["create", folder, ...user, ...others, ...bare]);
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(join(folder, "bin/artemis"), ["run"], { detached: true, stdio: "ignore" });
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`Artemis ended with ${child.exitCode}`);
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect").finally(() => socket.destroy());
    });
    return child;
  };
  const kill = async (): Promise<void> => {
    const ended = once(broker, "exit");
    process.kill(-pidOf(broker), "SIGKILL");
    await ended;
  };
  let broker = await start();
  return {
    name: "Artemis",
    port,
    folder,
    queue: (name) => name,
    fan: fanOf("fan"),
    pids: () => [pidOf(broker)],
    async restart() {
      await kill();
      broker = await start();
    },
    stop: kill,
  };
}
