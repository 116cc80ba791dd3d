import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, formatProblem } from "@datawire/runtime";
import { goodCertificate, wrongCertificate } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadRouterSettings } from "./settings.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "router-settings-"));
  await writeFile(join(folder, "cert.pem"), goodCertificate.cert);
  await writeFile(join(folder, "key.pem"), goodCertificate.key);
  await writeFile(join(folder, "other.pem"), wrongCertificate.key);
});
afterEach(() => rm(folder, { recursive: true }));

async function load(yaml: string, options: Record<string, unknown> = {}, token = "") {
  const config = join(folder, "router.yaml");
  await writeFile(config, yaml);
  await writeFile(join(folder, "token"), token, { mode: 0o600 });
  const env = { HOME: folder, BOB: "secret" };
  return loadRouterSettings({ config, directories: [], options, args: [], env });
}

test("loadRouterSettings() has a default for everything", async () => {
  const settings = await load("");
  expect(settings).toMatchObject({
    host: "localhost",
    listen: { host: "127.0.0.1", port: 5672 },
    admin: { host: "127.0.0.1", port: 5434 },
    tls: null,
    auth: null,
    limits: {
      addresses: 100_000,
      connections: 20_000,
      sessions: 256,
      links: 4_096,
      frameBytes: 65_536,
      messageBytes: 104_857_600,
      unsettled: 50_000,
    },
  });
});

test("loadRouterSettings() reads rules, users and TLS", async () => {
  const settings = await load(`
addresses:
  - { match: "orders/**", kind: queue, max_deliveries: 5, max_bytes: 10GiB, overflow: refuse, dedupe: 5m }
  - { match: "topic/chat/*", kind: topic, retention: { age: 7d, bytes: 1GiB } }
  - { match: "topic/books", retention: { age: forever } }
  - { match: "topic/events", retention: { age: 90d, bytes: none } }
users: [{ name: bob, password: \${BOB}, send: [orders/**], listen: topic/** }]
tls: { cert: cert.pem, key: key.pem }
tls_listen: 0.0.0.0:5671
`);
  expect(settings.rules.treat("orders/eu")).toMatchObject({
    kind: "queue",
    settings: { maxDeliveries: 5, maxBytes: 10 * 2 ** 30, dedupeMs: 300_000, persist: true },
  });
  expect(settings.rules.treat("topic/chat/x").settings.retention).toEqual({ ageMs: 604_800_000, bytes: 2 ** 30 });
  expect(settings.rules.treat("topic/books").settings.retention.ageMs).toBe(null);
  expect(settings.rules.treat("topic/events").settings.retention).toEqual({ ageMs: 90 * 86_400_000, bytes: null });
  expect(settings.auth?.users).toMatchObject([{ name: "bob", password: "secret", listen: [{ text: "topic/**" }] }]);
  expect(settings.tls).toMatchObject({
    own: { cert: goodCertificate.cert },
    listen: { host: "0.0.0.0", port: 5671 },
    clientCa: null,
  });
});

test("loadRouterSettings() reads upstreams, and where addresses are there", async () => {
  const { upstreams, rules } = await load(`
addresses: [{ match: "legacy/*/**", kind: link, upstream: rabbit, rewrite: "/exchange/$1/$2" }]
upstreams: { rabbit: { url: "amqps://broker.example:5673/my%20shop", user: dw, password: \${BOB}, ca: cert.pem } }
`);
  expect(upstreams).toEqual([
    {
      name: "rabbit",
      host: "broker.example",
      port: 5673,
      isTls: true,
      vhost: "my shop",
      user: "dw",
      password: "secret",
      ca: goodCertificate.cert,
    },
  ]);
  expect(rules.treat("legacy/a/b/c")).toMatchObject({
    kind: "link",
    far: { upstream: "rabbit", address: "/exchange/a/b/c" },
  });
  expect(rules.treat("legacy").far).toBe(null);
});

test.each([
  ["directories: //d\nauth: { mode: token }", { users: [], tokens: true }],
  ["directories: //d\nusers: { name: a }", { users: [{ name: "a" }], tokens: false }],
  ["directories: //d", null],
  ["directories: //d\nlisten: 0.0.0.0:1\ntls: { cert: cert.pem, key: key.pem }", { users: [], tokens: true }],
  ["directories: //d\nauth: { mode: token }\nusers: { name: a }", { users: [{ name: "a" }], tokens: true }],
  ["listen: 0.0.0.0:1\nauth: { mode: none }", null],
])("loadRouterSettings() says who may come by %j", async (yaml, expected) => {
  const { auth } = await load(`${yaml}\nweb: off`);
  if (expected === null) expect(auth).toBe(null);
  else expect(auth).toMatchObject(expected);
});

test.each([
  ["listen: 0.0.0.0:5672", "0.0.0.0"],
  ["tls_listen: 127.0.0.1:5679", "127.0.0.1"],
])(
  "loadRouterSettings() has %j certified by the directory that its token names the authority of",
  async (yaml, host) => {
    const of = (fingerprint: string): Promise<unknown> =>
      load(
        `directories: //d\nweb: off\ntoken_file: ${join(folder, "token")}\n${yaml}`,
        {},
        `dw1_${"a".repeat(43)}${fingerprint}`,
      );
    expect(await of(`_${"b".repeat(43)}`)).toMatchObject({ tls: { own: null, clientCa: null, listen: { host } } });
    const without = await of("").then(
      () => null,
      (error: unknown) => (error as ConfigError).problems.map(formatProblem).join(),
    );
    if (without !== null) expect(without).toContain("without TLS");
  },
);

test.each([
  ["listen: 0.0.0.0:5672", "0.0.0.0:5672 is reached from other machines, and this router has no way to know who comes"],
  ["listen: 0.0.0.0:5672\ndirectories: //d", "0.0.0.0:5672 is reached from other machines, without TLS"],
  ["auth: { mode: token }", "tokens are the directory's: wanted `directories`"],
  ["tls: { cert: cert.pem }", "tls.cert and tls.key go together"],
  ["listen: 0.0.0.0:5672\nusers: [{ name: a }]", "0.0.0.0:5672 is reached from other machines, without TLS"],
  ["tls: { cert: cert.pem, key: key.pem }\ntls_listen: 0.0.0.0:1", "and this router has no way to know who comes"],
  ["auth: { mode: users }", "auth.mode is users, and there are none"],
  ["users: [{ name: a }, { name: a }]", 'the user "a" is there twice'],
  ["tls: { cert: none.pem, key: key.pem }", "no such file or folder"],
  ["tls: { cert: key.pem, key: key.pem }", "it holds no certificate"],
  ["tls: { cert: cert.pem, key: other.pem }", "it is not the key of the certificate"],
  ["addresses: [{ match: a*b }]", "* stands for a whole segment"],
  ["addresses: [{ match: a, max_bytes: 10GX }]", "it is no size"],
  ["addresses: [{ match: a, kind: heap }]", "heap"],
  ["limits: { frame: 100 }", "the least is 512 bytes"],
  ["addresses: [{ match: a, kind: link }]", "wanted an `upstream` beside `kind: link`"],
  ["addresses: [{ match: a, upstream: b }]", "wanted `kind: link` beside an upstream"],
  ["addresses: [{ match: a, kind: link, upstream: b }]", 'there is no upstream "b": there are no `upstreams`'],
  ["upstreams: { b: { url: http://c } }", "it is no such URL"],
  ["upstreams: { b: { url: amqp://bob:secret@c } }", "it has a user in it"],
  ["upstreams: { b: { url: amqp://c, user: d } }", "one of user and password"],
  ["upstreams: { b: { url: amqp://c, ca: cert.pem } }", "its url is no amqps://"],
  ["upstreams: { b: { url: amqps://c, ca: none.pem } }", "no such file or folder"],
])("loadRouterSettings() refuses %j: %s", async (yaml, why) => {
  const error: unknown = await load(yaml).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems.map(formatProblem).join("\n")).toContain(why);
});
