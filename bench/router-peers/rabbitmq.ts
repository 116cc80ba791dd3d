import { existsSync } from "node:fs";
import { Rabbitmq } from "../../e2e/harness/router/rabbitmq.ts";
import type { Broker } from "./broker.ts";

const FAN = ["fan1", "fan2", "fan3"];

/** RabbitMQ of the system's packages, with quorum queues on one node and all schedulers; null where it is not installed. */
export async function startRabbitmq(folder: string): Promise<Broker | null> {
  if (!existsSync("/usr/lib/rabbitmq/bin/rabbitmq-server")) return null;
  // Clients that say nothing of themselves are let in, as at the router.
  const broker = await Rabbitmq.start(folder, { settings: "amqp1_0.default_user = guest", flags: "" });
  for (const queue of ["bench", "backlog", ...FAN]) {
    const args = `[{<<"x-queue-type">>,longstr,<<"quorum">>}]`;
    await broker.evaluate(`rabbit_amqqueue:declare(${resource("queue", queue)},true,false,${args},none,<<"bench">>).`);
  }
  for (const queue of FAN) {
    const binding = `{binding,${resource("exchange", "amq.fanout")},<<>>,${resource("queue", queue)},[]}`;
    await broker.evaluate(`rabbit_binding:add(${binding},<<"bench">>).`);
  }
  let pid = await broker.pid();
  return {
    name: "RabbitMQ, quorum queues",
    port: broker.port,
    folder,
    queue: (name) => `/amq/queue/${name}`,
    fan: { to: "/exchange/amq.fanout", from: FAN.map((queue) => ({ address: `/amq/queue/${queue}` })) },
    pids: () => [pid],
    async restart() {
      await broker.kill();
      await broker.start();
      pid = await broker.pid();
    },
    stop: () => broker.stop(),
  };
}

const resource = (kind: "queue" | "exchange", name: string): string => `{resource,<<"/">>,${kind},<<"${name}">>}`;
