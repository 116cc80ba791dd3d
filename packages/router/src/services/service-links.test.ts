import { type AddressInfo, createServer } from "node:net";
import { Connection, type ConnectionEvents, createSaslServer, QUIET_EVENTS } from "@datawire/amqp";
import { catalogOf, instance } from "@datawire/catalog/testing";
import { Chance } from "@datawire/protocol/testing/chance";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { AddressRules } from "../address/rules.ts";
import { Broker } from "../engine/broker.ts";
import { TestSender } from "../engine/testing/links.ts";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import { why } from "../overview/why.ts";
import { ServiceLinks } from "./service-links.ts";

/** A port of a microserver that lets in who has a password, or anybody. */
async function listen(isOpen: () => boolean): Promise<number> {
  const ignore = (): void => {};
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    const events: ConnectionEvents = {
      ...QUIET_EVENTS,
      outputReady: () =>
        queueMicrotask(() => {
          const bytes = connection.takeOutput(0);
          if (bytes !== null) socket.write(bytes);
          if (connection.done) socket.end();
        }),
      linkAsked: (link) => link.accept(),
    };
    const saslServer = isOpen()
      ? createSaslServer({ anonymous: "anybody" })
      : createSaslServer({ plain: (_user, _password, answer) => answer(null) });
    const connection = new Connection(
      { role: "server", open: { containerId: "barker" }, saslServer, saslRequired: true },
      events,
      0,
    );
    socket.on("data", (bytes) => connection.receive(bytes, 0));
    socket.on("error", ignore);
    socket.on("close", () => connection.disconnected());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("ServiceLinks tells which live instance does not let the router in, with what helps, until it does", async () => {
  let isOpen = false;
  const port = await listen(() => isOpen);
  const clock = createFakeClock();
  const board = new ProblemBoard();
  const deps = { clock, log: noLog, random: () => 0.5, container: "router@vm101", unsettledMax: 100, board };
  const links = new ServiceLinks(deps);
  onTestFinished(() => links.close());
  const broker = await Broker.open(
    { rules: new AddressRules([]), log: {} },
    {
      disk: new SimulatedDisk(new Chance(1)).boot(),
      clock,
      random32: () => 7,
      later: setImmediate,
      annotate: (payload) => payload,
      onTrouble() {},
      onFault() {},
      isService: (name) => links.isService(name),
    },
  );
  links.serve(broker);
  const rex = instance("barker@rex(1)", { url: `amqp://127.0.0.1:${port}/barker`, protocol: "amqp" });
  links.follow(catalogOf([rex], { services: [{ name: "barker", protocol: "amqp" }] }));
  const sender = new TestSender(broker, "barker");
  expect(sender.credit).toBe(0);
  const pass = async (): Promise<void> => {
    await clock.advance(250);
    links.reconcile();
  };
  await pass();
  expect(board.list()).toEqual([]);
  await expect
    .poll(async () => {
      await pass();
      return board.list();
    })
    .toEqual([
      {
        subject: "//barker@rex",
        message: expect.stringMatching(/^no link to it at 127\.0\.0\.1:\d+: .*(?:auth|mechanism|login)/i) as string,
        remedy: expect.stringContaining("`direct: { user, password }`") as string,
      },
    ]);
  const queue = {
    address: "barker",
    kind: "service",
    state: "stalled",
    reason: "no-consumer",
    senders: 1,
    consumers: 0,
    messages: 0,
    unsettled: 0,
  } as never;
  expect(why("barker", { queues: [queue], links: [], problems: board.list() }).text).toMatch(
    /^1 sender waits, and nobody receives; \/\/barker@rex: no link to it at /,
  );
  isOpen = true;
  await expect
    .poll(async () => {
      await pass();
      return board.list();
    })
    .toEqual([]);
});
