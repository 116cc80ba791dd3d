import { endpoints, type RouteAdd } from "@datawire/api";
import fc from "@datawire/protocol/testing/random";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { startUsers } from "./harness/users.ts";
import { eventually } from "./harness/wait.ts";

/** Sessions through changes that are drawn by chance, none of which takes a target's last share away. */

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
});
afterEach(() => stack.dispose());

const percent = fc.integer({ min: 1, max: 30 }).map((number) => `${number}%`);
const CANARY = { source: "//monolith", target: "//shop(2)" };
const FIRST = { source: "//monolith", target: "//shop@a" };
const SHOP = { service: "shop" };

/** A change, and how it is told of. */
interface Change {
  readonly what: object;
  make(): Promise<unknown>;
}

const route = (body: Partial<RouteAdd> & typeof CANARY): Change => ({
  what: body,
  make: () => stack.api.ask(endpoints.addRoute, { body }),
});
const service = (body: object): Change => ({
  what: body,
  make: () => stack.api.ask(endpoints.setService, { params: SHOP, body }),
});
/** The route may not be there to be removed; nothing else is refused. */
const removal: Change = {
  what: { removes: FIRST },
  make: () =>
    stack.api
      .ask(endpoints.removeRoute, { body: FIRST })
      .catch((error: Error) => expect(error.message).toContain("there is none")),
};

/** Changes that change shares by command, groups and keys by a reload, and who takes new sessions. */
const change = fc.oneof(
  percent.map((share) => route({ ...CANARY, percent: share })),
  percent.map((share) => route({ ...FIRST, percent: share })),
  fc.constant(removal),
  fc
    .tuple(percent, fc.constantFrom("header:X-User", "cookie:user"))
    .map(([share, sticky]) => route({ ...CANARY, percent: share, sticky })),
  percent.map((share) => route({ ...CANARY, percent: share, sticky: null })),
  percent.map((share) => route({ ...CANARY, percent: share, when: "header:X-Beta=1" })),
  fc.constantFrom(endpoints.drainInstance, endpoints.resumeInstance).map((endpoint): Change => {
    const body = { instance: "//shop@b" };
    return { what: { ...body, path: endpoint.path }, make: () => stack.api.ask(endpoint, { body }) };
  }),
  fc.integer({ min: 5, max: 60 }).map((seconds) => service({ timeoutMs: seconds * 1_000 })),
);

test("changes of shares, groups, keys and settings, drawn by chance, lose no session", async () => {
  const names = ["a", "b", "c"];
  await Promise.all([
    ...names.map((name) => stack.startInstance({ service: "shop", name })),
    stack.startInstance({ service: "shop", name: "canary", version: "2" }),
  ]);
  await stack.lists("shop", { a: "live", b: "live", c: "live", canary: "live" });
  await service({ balance: "cookie:SERVERID" }).make();
  await route({ ...CANARY, percent: "30%" }).make();
  const url = await stack.url("/shop/session");
  await eventually(async () => expect((await fetch(url)).headers.get("set-cookie")).toContain("SERVERID="));
  await stack.reaches("shop", [...names, "canary"]);
  await stack.followed();
  const users = startUsers(40, () => [url]);
  await users.round();
  const changes = fc.sample(change, { numRuns: scaled(150, 15) });
  for (const { what, make } of changes) {
    await make();
    await users.round();
    expect({ what, lost: users.lost() }).toEqual({ what, lost: [] });
  }
  const { visits, failures } = await users.stop();
  process.stdout.write(`${visits} visits through ${changes.length} changes\n`);
  expect(failures).toEqual([]);
});
