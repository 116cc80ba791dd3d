import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instance, routes, service, catalogOf } from "../testing/entities.ts";
import { ask } from "../testing/ask.ts";
import { type Echo, startEcho } from "../testing/echo.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

/** Names of cookies and headers may have more than letters (RFC 9110, `token`): each has to come through to HAProxy. */

/** None begins with a dollar sign, which cookies of attributes do (RFC 2109). */
const start = (letter: string): string => (letter === "$" ? "" : letter);
const ODD = "!#$%&'*+.^_`|~-".split("");
let folder: string;
let machine: Machine;
let a: Echo;
let b: Echo;

beforeAll(async () => {
  folder = await temporaryFolder();
  [a, b] = await Promise.all([startEcho("a"), startEcho("b")]);
  const table = catalogOf(
    ...ODD.flatMap((letter, i) => [
      service(`when${i}`),
      instance(`when${i}`, "a", { url: a.url }),
      instance(`when${i}`, "b", { url: b.url, version: "2", order: 1 }),
      routes(`when${i}`, { [`//when${i}(2)`]: { share: 0, when: `cookie:c${letter}c=1` } }),
      service(`kept${i}`, { settings: { balance: `cookie:${start(letter)}k${letter}` } }),
      instance(`kept${i}`, "a", { url: a.url }),
      instance(`kept${i}`, "b", { url: b.url, order: 1 }),
    ]),
  );
  machine = await startMachine({ table, runDir: join(folder, "run"), port: await freePort() });
});

afterAll(async () => {
  await machine?.stop();
  await Promise.all([a, b].map((echo) => echo?.close()));
  await removeFolder(folder);
});

test.each(ODD.map((letter, i) => [letter, i] as const))(
  "a condition on a cookie with %s in its name holds",
  async (letter, i) => {
    expect((await ask(machine.port, `/when${i}/`, { cookie: `c${letter}c=1` })).seen?.name).toBe("b");
    expect((await ask(machine.port, `/when${i}/`, { cookie: `c${letter}c=2` })).seen?.name).toBe("a");
  },
);

test.each(ODD.map((letter, i) => [letter, i] as const))(
  "sessions of a cookie with %s in its name stay",
  async (letter, i) => {
    const first = await ask(machine.port, `/kept${i}/`);
    const cookie = String(first.headers["set-cookie"]).split(";")[0] as string;
    expect(cookie).toMatch(/^.?k.=s\./);
    for (let n = 0; n < 4; n++) {
      const { seen } = await ask(machine.port, `/kept${i}/`, { cookie: `x=1; ${cookie}; y=2` });
      expect([seen?.name, seen?.headers["cookie"]]).toEqual([first.seen?.name, "x=1; y=2"]);
    }
    const joined = await ask(machine.port, `/kept${i}/`, { cookie: `${cookie}~own` });
    expect([joined.seen?.name, joined.seen?.headers["cookie"]]).toEqual([
      first.seen?.name,
      `${start(letter)}k${letter}=own`,
    ]);
  },
);
