import { afterAll, beforeAll, expect, test } from "vitest";
import { instance, routes, service } from "../testing/entities.ts";
import { type Field, openField } from "../testing/field.ts";

/** Names of cookies and headers may have more than letters (RFC 9110, `token`): each has to come through to HAProxy. */

/** None begins with a dollar sign, which cookies of attributes do (RFC 2109). */
const start = (letter: string): string => (letter === "$" ? "" : letter);
const ODD = "!#$%&'*+.^_`|~-".split("");
let field: Field;

beforeAll(async () => {
  field = await openField({ echoes: ["a", "b"] });
  const [a = "", b = ""] = field.echoes.map(({ url }) => url);
  await field.become(
    ...ODD.flatMap((letter, i) => [
      service(`when${i}`),
      instance(`when${i}`, "a", { url: a }),
      instance(`when${i}`, "b", { url: b, version: "2", order: 1 }),
      routes(`when${i}`, { [`//when${i}(2)`]: { share: 0, when: `cookie:c${letter}c=1` } }),
      service(`kept${i}`, { settings: { balance: `cookie:${start(letter)}k${letter}` } }),
      instance(`kept${i}`, "a", { url: a }),
      instance(`kept${i}`, "b", { url: b, order: 1 }),
    ]),
  );
});

afterAll(() => field?.close());

test.each(ODD.map((letter, i) => [letter, i] as const))(
  "a condition on a cookie with %s in its name holds",
  async (letter, i) => {
    expect((await field.ask(`/when${i}/`, { cookie: `c${letter}c=1` })).seen?.name).toBe("b");
    expect((await field.ask(`/when${i}/`, { cookie: `c${letter}c=2` })).seen?.name).toBe("a");
  },
);

test.each(ODD.map((letter, i) => [letter, i] as const))(
  "sessions of a cookie with %s in its name stay",
  async (letter, i) => {
    const first = await field.ask(`/kept${i}/`);
    const cookie = String(first.headers["set-cookie"]).split(";")[0] as string;
    expect(cookie).toMatch(/^.?k.=s\./);
    for (let n = 0; n < 4; n++) {
      const { seen } = await field.ask(`/kept${i}/`, { cookie: `x=1; ${cookie}; y=2` });
      expect([seen?.name, seen?.headers["cookie"]]).toEqual([first.seen?.name, "x=1; y=2"]);
    }
    const joined = await field.ask(`/kept${i}/`, { cookie: `${cookie}~own` });
    expect([joined.seen?.name, joined.seen?.headers["cookie"]]).toEqual([
      first.seen?.name,
      `${start(letter)}k${letter}=own`,
    ]);
  },
);
