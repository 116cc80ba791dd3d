import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listenOn } from "./fixtures/http-instances.ts";
import { freePorts } from "@datawire/runtime/testing";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
const servers: Server[] = [];
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  await stack.dispose();
  for (const server of servers.splice(0)) server.close();
});

interface TcpInstance {
  readonly service: string;
  readonly name: string;
  readonly version?: string;
  readonly proxyPort?: number;
}

/** An instance that says its name and then repeats what it hears, with its service file. */
async function startTcpInstance({ service, name, version = "1", proxyPort }: TcpInstance): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  servers.push(server);
  const port = await listenOn(server);
  stack.writeServiceFile(name, {
    service: `//${service}`,
    instance: name,
    version,
    protocol: "tcp",
    url: `tcp://127.0.0.1:${port}`,
    ...(proxyPort === undefined ? {} : { proxy_port: proxyPort }),
  });
  return server;
}

/** The name of the instance that a connection gets to; "" when nobody takes it. */
async function nameAt(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let heard = "";
  try {
    for await (const data of socket) {
      heard += String(data);
      if (heard.endsWith("\n")) break;
    }
  } catch {
    return "";
  }
  return heard.trim();
}

async function namesAt(port: number, connections: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < connections; i++) {
    const name = await nameAt(port);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test("TCP services have local ports; routes hold for each connection; a taken port costs that service alone", async () => {
  const [settled, proposed, outside] = (await freePorts(3)) as [number, number, number];
  const taken = await listenOn(servers[servers.push(createServer()) - 1] as Server);
  const primary = await startTcpInstance({ service: "db", name: "db-1" });
  await startTcpInstance({ service: "db", name: "db-2", version: "2" });
  await startTcpInstance({ service: "queue", name: "queue-1", proxyPort: proposed });
  await startTcpInstance({ service: "far", name: "far-1", proxyPort: outside });
  await startTcpInstance({ service: "clash", name: "clash-1" });
  await stack.startInstance({ service: "emitter", name: "emitter" });
  await stack.startDirectory();
  await Promise.all([
    stack.startWatson(),
    stack.startSherlock([], {
      tcp: { db: `127.0.0.1:${settled}`, clash: `127.0.0.1:${taken}` },
      tcp_ports: `${proposed}-${proposed}`,
    }),
  ]);

  await stack.reaches("emitter", ["emitter"]);
  await eventually(async () => expect(await namesAt(settled, 5)).toEqual({ "db-1": 5 }));
  await eventually(async () => expect(await nameAt(proposed)).toBe("queue-1"));
  // An open connection stays where it is, whatever routes say afterwards.
  const open = connect(settled, "127.0.0.1");
  expect(String((await once(open, "data"))[0])).toBe("db-1\n");
  expect(await stack.dw("route", "add", "//monolith", "//db(2)", "50%")).toMatchObject({ code: 0 });
  await eventually(async () => {
    const counts = await namesAt(settled, 60);
    expect(Object.keys(counts).sort()).toEqual(["db-1", "db-2"]);
    // Four standard deviations of 60 draws.
    expect(Math.abs((counts["db-2"] ?? 0) - 30)).toBeLessThanOrEqual(16);
  });
  open.write("still here");
  expect(String((await once(open, "data"))[0])).toBe("still here");
  open.destroy();

  // Its port is closed: Watson, or HAProxy before it, sends all to what is left.
  primary.close();
  await eventually(async () => expect(await namesAt(settled, 10)).toEqual({ "db-2": 10 }));

  await eventually(async () => {
    const { stdout } = await stack.dw("status");
    expect(stdout).toContain(`Cannot listen on 127.0.0.1:${taken} for it: another process has it`);
    const allowed = `tcp_ports allows ${proposed}-${proposed}`;
    expect(stdout).toContain(`Cannot use the port ${outside} that it proposes: ${allowed}`);
  });
  const page = await fetch(await stack.url("/db/"), { headers: { accept: "application/json" } });
  expect([page.status, await page.json()]).toEqual([
    503,
    { error: "no live instance", service: "db", reason: `it is a TCP service, reached at 127.0.0.1:${settled}` },
  ]);
});
