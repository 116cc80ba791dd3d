import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createSaslServer } from "@datawire/amqp";
import { expect, test } from "vitest";
import { PeerServer } from "./harness/amqp/peer.ts";
import { Queues } from "./harness/amqp/queues.ts";
import { watchChild } from "./harness/child.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";

// Go compiles its own library the first time, which takes half a minute of a busy machine.

const SOURCE = join(import.meta.dirname, "fixtures/amqp/go-peer");
const PROGRAM = join(import.meta.dirname, "../.cache/go-peer");

const build = () => promisify(execFile)("go", ["build", "-o", PROGRAM, "."], { cwd: SOURCE });
/** What it says of a peer with which all is as it should be. */
const SAID = [
  "exchanged 200",
  "confirmed app:bad",
  "heard app:bad",
  "heard <nil>",
  "heard <nil>",
  "refused amqp:not-found",
  "done",
];

test("go-amqp does the same with a router", async () => {
  await build();
  const stack = new Stack();
  try {
    const router = await RouterProcess.start(stack, {
      users: [{ name: "bob", password: "secret", send: ["**"], listen: ["**"] }],
      addresses: [
        { match: "outcomes", kind: "direct" },
        { match: "nowhere", kind: "none" },
      ],
    });
    const child = watchChild(
      spawn(PROGRAM, [`amqp://127.0.0.1:${router.port}`], { stdio: ["ignore", "pipe", "pipe"] }),
      PROGRAM,
    );
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.lines).toEqual(SAID);
  } finally {
    await stack.dispose();
  }
});

test("go-amqp logs in, exchanges messages of several frames, hears of its outcomes, and is refused a link", async () => {
  await build();
  const queues = new Queues();
  const saslServer = createSaslServer({
    plain: (user, password, answer) => answer(user === "bob" && password === "secret" ? user : null),
  });
  const server = new PeerServer({ saslServer }, queues.events);
  const port = await server.listen();
  const child = watchChild(
    spawn(PROGRAM, [`amqp://127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "pipe"] }),
    PROGRAM,
  );
  try {
    expect(await child.exited).toEqual({ code: 0, signal: null });
  } finally {
    child.kill("SIGKILL");
    await server.close();
    expect(child.lines).toEqual(SAID);
  }
});
