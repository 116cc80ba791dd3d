import type { ClientMessage } from "@datawire/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GuardedInMemory, serveGuardedInMemory } from "../testing/memory/guarded-in-memory.ts";
import { registration } from "../testing/worlds.ts";
import { hello as helloOf } from "../testing/served.ts";

let guarded: GuardedInMemory;
beforeAll(async () => {
  guarded = await serveGuardedInMemory();
});
afterAll(() => guarded.stop());

const hello = (kind: "watson" | "sherlock" | "library" | "dw", name: string, subscribes = false): ClientMessage =>
  helloOf(kind, name, { subscribe: subscribes ? { services: null, have: null } : null }) as ClientMessage;
const register = (...texts: string[]): ClientMessage => ({
  type: "register",
  seq: 1,
  instances: texts.map((text) => registration(text)),
});

test("a link ends with its token, and says why", async () => {
  const { id, token } = await guarded.create("sherlock");
  const link = await guarded.link(token, hello("sherlock", "monolith", true));
  await link.next("snapshot");
  await guarded.tokens.revoke(id, { tenant: null });
  expect(await link.next("error")).toMatchObject({
    code: "unauthenticated",
    message: `Cannot go on with the link: the token ${id} was revoked`,
    fatal: true,
  });
  await link.close();
});

test("a link ends when its token expires", async () => {
  const { id, token } = await guarded.create("sherlock", { expiresMs: guarded.clock.nowMs() + 300 });
  const link = await guarded.link(token, hello("sherlock", "shortly", true));
  await link.next("snapshot");
  expect((await link.next("error")).message).toContain(`the token ${id} expired at`);
  await link.close();
});

test("a Watson's token follows no table, and a Sherlock's registers nothing", async () => {
  const watson = await guarded.link((await guarded.create("watson")).token, hello("sherlock", "x", true));
  expect((await watson.next("error")).message).toContain("lacks the right to follow the table");
  const sherlock = await guarded.link((await guarded.create("sherlock")).token, hello("watson", "y"));
  expect((await sherlock.next("error")).message).toContain("lacks the right to register services");
  await Promise.all([watson.close(), sherlock.close()]);
});

test("an instance that the token may not register is left out by name", async () => {
  const { token } = await guarded.create("watson", { services: ["billing-*"] });
  const link = await guarded.link(token, hello("watson", "vm1"));
  await link.next("welcome");
  link.send(register("billing-api@a:1", "emitter@a:1"));
  expect(await link.next("registered")).toMatchObject({
    refused: [
      { instance: "emitter@a", code: "permission_denied", message: expect.stringContaining("billing-*") as string },
    ],
  });
  await link.close();
});

test("a library registers what its token is for, follows the table, and is what its id holds", async () => {
  const { token } = await guarded.create("library", { services: ["shop-*"] });
  const link = await guarded.link(token, hello("library", "shop", true));
  await link.next("snapshot");
  link.send(register("shop-api@a:1", "till@a:1"));
  expect(await link.next("registered")).toMatchObject({
    refused: [{ instance: "till@a", code: "permission_denied", message: expect.stringContaining("shop-*") as string }],
  });
  expect((await link.next("delta")).change.instances).toMatchObject([{ service: "shop-api", name: "a" }]);
  await link.close();
  const narrow = await guarded.create("library", { services: ["till"] });
  const thief = await guarded.link(narrow.token, hello("library", "shop"));
  expect((await thief.next("error")).message).toMatch(/Cannot accept the library shop: its id holds \/\/shop-api/);
  const again = await guarded.link(token, hello("library", "shop"));
  await again.next("welcome");
  again.send({ type: "register", seq: 1, instances: [] });
  await again.next("registered");
  await Promise.all([thief.close(), again.close()]);
});

test("a library with a token that registers nothing follows the table all the same", async () => {
  const link = await guarded.link((await guarded.create("sherlock")).token, hello("library", "reader", true));
  await link.next("snapshot");
  link.send(register("shop-api@b:1"));
  expect((await link.next("error")).message).toContain("lacks the right to register services");
  await link.close();
});

test("a Watson's id is taken over by no token that could not have registered what it holds", async () => {
  const whole = await guarded.create("watson");
  const first = await guarded.link(whole.token, hello("watson", "vm2"));
  await first.next("welcome");
  first.send(register("transform@a:1"));
  await first.next("registered");
  await first.close();
  const narrow = await guarded.create("watson", { services: ["other"] });
  const thief = await guarded.link(narrow.token, hello("watson", "vm2"));
  expect((await thief.next("error")).message).toMatch(/its id holds \/\/transform, and the token .* is for other/);
  const renewed = await guarded.link((await guarded.create("watson")).token, hello("watson", "vm2"));
  await renewed.next("welcome");
  await Promise.all([thief.close(), renewed.close()]);
});

test("tenants hold instances and ids of one name side by side", async () => {
  const links = await Promise.all(
    ["one", "two"].map(async (tenant) => {
      const link = await guarded.link((await guarded.create("watson", { tenant })).token, hello("watson", "vm3"));
      await link.next("welcome");
      link.send(register("shared@a:1"));
      expect(await link.next("registered")).toMatchObject({ refused: [] });
      return link;
    }),
  );
  const sherlock = await guarded.create("sherlock", { tenant: "one" });
  const follower = await guarded.link(sherlock.token, hello("sherlock", "monolith", true));
  const { instances } = await follower.next("snapshot");
  expect(instances.map(({ service, name }) => `${service}@${name}`)).toEqual(["shared@a"]);
  await Promise.all([...links, follower].map((link) => link.close()));
});
