import { afterEach, expect, test } from "vitest";
import { about, connectOriginal, type Original, type OriginalOptions } from "../testing/original.ts";
import { type Served, serve, sherlockOf, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

const open: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of open.splice(0).toReversed()) await end();
});

async function start(config: Parameters<typeof serve>[0] = {}): Promise<Served> {
  const served = await serve(config);
  open.push(() => served.stop());
  return served;
}

async function connect({ port }: Served, options: OriginalOptions = {}): Promise<Original> {
  const original = await connectOriginal(port, options);
  open.push(() => original.socket.terminate());
  return original;
}

const HELLO = { service: "hello", address: "http://127.0.0.1:9999" };

const namesOf = async (served: Served, query = ""): Promise<unknown> => {
  const { body } = await served.get(`/v1/services${query}`);
  const services = body["services"] as { service: string; instances: { name: string; state: string }[] }[];
  return services.map(({ service, instances }) => [service, ...instances.map(({ name, state }) => `${name} ${state}`)]);
};

test.each(["/rtp", "/ws/v1", "/"])(
  "an original at %s registers, sees its own node and what Watsons say, and is seen by Sherlocks",
  async (path) => {
    const served = await start();
    await watsonOf(served, "vm1", [registration("barker@a:1.2")]);
    const original = await connect(served, { path });
    expect(await original.next(() => true)).toMatchObject({ type: "open", version: "2.0.0" });
    expect(await original.next(() => true)).toEqual({ type: "clear" });
    expect(await original.next("active")).toMatchObject({
      node: {
        id: "a",
        service: "barker",
        version: "1.2",
        address: "http://a.example.com/barker",
        environment: { name: "sandbox" },
      },
    });
    original.active({ ...HELLO, version: "1.0" });
    expect(await original.next(about("active", "hello"))).toMatchObject({
      node: { id: "127.0.0.1-9999", version: "1.0", properties: { datawire_nodeId: "node-1" } },
    });
    const sherlock = await sherlockOf(served, "monolith");
    expect((await sherlock.next("snapshot")).instances).toMatchObject([
      { service: "barker" },
      { service: "hello", name: "127.0.0.1-9999", url: "http://127.0.0.1:9999", version: "1.0", state: "live" },
    ]);
    original.expire(HELLO);
    expect(await original.next("expire")).toMatchObject({ node: { id: "127.0.0.1-9999", service: "hello" } });
    expect((await sherlock.next("delta")).change.gone).toMatchObject({ instances: ["hello@127.0.0.1-9999"] });
  },
);

test("binary frames are ignored, and what comes with them is not", async () => {
  const served = await start();
  const original = await connect(served);
  original.socket.send(Buffer.from([1, 2, 3]), { binary: true });
  original.socket.send(Buffer.from(JSON.stringify({ type: "subscribe" })), { binary: true });
  original.active(HELLO);
  expect(await original.next("active")).toMatchObject({ node: { service: "hello" } });
});

test("the first original is told what has ended or gone down since the directory started, as it may know it from before", async () => {
  const served = await start();
  const { client } = await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:1")]);
  // What comes and goes before anybody was told of it has not ended.
  expect((await (await sherlockOf(served, "monolith")).next("snapshot")).instances).toHaveLength(2);
  const down = registration("barker@a:1", { state: "down", reason: "HTTP 503" });
  client.send({ type: "update", seq: 2, instances: [down, registration("barker@c:1")], gone: ["barker@b"] });
  await client.next("registered");
  const original = await connect(served);
  await original.next(({ node }) => node?.id === "a");
  expect(original.frames.map(({ type, node }) => `${type} ${node?.id}`).slice(2)).toEqual([
    "active c",
    "expire b",
    "expire a",
  ]);
});

test("a node is lost when the connection of its original breaks, and is back with the next", async () => {
  const served = await start();
  const first = await connect(served);
  first.active(HELLO);
  await first.next(about("active", "hello"));
  first.socket.terminate();
  await expect.poll(() => namesOf(served)).toEqual([["hello", "127.0.0.1-9999 lost"]]);
  const second = await connect(served);
  expect(await second.next("active")).toMatchObject({ node: { id: "127.0.0.1-9999" } });
  second.active(HELLO);
  await expect.poll(() => namesOf(served)).toEqual([["hello", "127.0.0.1-9999 live"]]);
});
