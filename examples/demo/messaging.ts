import { join } from "node:path";
import { connect } from "@datawire/microserver";
import { type Machine, portNear } from "./machine.ts";
import { check, command, dw, print, say, until } from "./screen.ts";

/** How many orders are sent. */
const COUNT = 5_000;

/** Messages through a router that comes last and is killed, and through a stage that is killed: each arrives once. */
export async function showMessaging(machine: Machine, signal: AbortSignal): Promise<void> {
  const port = await portNear(5672);
  const url = `localhost:${port}`;
  machine.env["DATAWIRE_ROUTER"] = url;
  const startRouter = (): void => {
    const folder = join(machine.folder, "router");
    machine.startProgram("router", ["-p", String(port), "--admin", "off", "--web", "off", "--data-dir", folder]);
  };
  const startStage = (): void => machine.start("stage", "examples/messaging/stage.ts", ["orders", "invoices"]);

  say(`Who receives, who makes invoices of orders, and who sends ${COUNT} of these are there before the router`);
  const receiver = await connect({ url });
  const got = new Map<number, number>();
  await receiver.listen(
    "invoices",
    ({ body }) => {
      const { order } = body as { readonly order: number };
      got.set(order, (got.get(order) ?? 0) + 1);
    },
    { concurrency: 100 },
  );
  startStage();
  const sender = await connect({ url });
  let accepted = 0;
  const sending = Promise.all(
    Array.from({ length: COUNT }, (_, order) => sender.send("orders", { order }).then(() => accepted++)),
  );
  sending.catch(() => {});
  print(`the sender waits: ${sender.status.outbox.messages} messages in its outbox, ${accepted} accepted`);
  command("router &");
  startRouter();
  const comesTo = (part: number): Promise<void> =>
    until(`${part} invoices`, async () => got.size >= part, { machine, logs: ["router", "stage"], signal });
  try {
    await comesTo(COUNT / 5);
    say("The router is killed, and started again");
    command("kill -9 router");
    await machine.kill("router");
    startRouter();
    await comesTo((2 * COUNT) / 5);
    say("The stage in the middle is killed, and started again");
    command("kill -9 stage");
    await machine.kill("stage");
    startStage();
    await comesTo((3 * COUNT) / 5);
    say("Both at once");
    command("kill -9 router stage");
    await Promise.all([machine.kill("router"), machine.kill("stage")]);
    startRouter();
    startStage();
    await sending;
    await comesTo(COUNT);
    const doubled = [...got.values()].filter((times) => times > 1).length;
    print(`\n${COUNT} sent, ${accepted} accepted, ${got.size} received, ${doubled} doubled`);
    check(got.size === COUNT && doubled === 0, `each of ${COUNT} arrives once`);

    // On a quick machine all has arrived before the router is there again.
    const isUp = (): Promise<boolean> => machine.dw(["queue", "list"]).then(() => true);
    await until("the router", isUp, { machine, logs: ["router"], signal });
    say("From the command line");
    await dw(machine, ["send", "//hello", "hello, world"]);
    await dw(machine, ["queue", "list"]);
    await dw(machine, ["listen", "//hello", "--count", "1", "--timeout", "20s"]);
    await dw(machine, ["why", "//hello"]);
  } finally {
    await Promise.all([sender.close(), receiver.close()]);
  }
}
