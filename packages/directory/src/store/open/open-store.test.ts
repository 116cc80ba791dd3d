import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogFields, noLog, systemClock } from "@datawire/runtime";
import { etcdCertificates, type EtcdServer, startEtcd } from "@datawire/runtime/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listTenants, openStore } from "./open-store.ts";
import { storeSetting } from "../store-settings.ts";
import { patientClock, put } from "../etcd/testing/followed.ts";
import { enableUser } from "../etcd/testing/users.ts";

// A real etcd, on a machine that may be busy.

const { authority, certificate, namedCertificate, key } = etcdCertificates;
const user = { name: "datawire", password: "secret" };
let etcd: EtcdServer;
let folder: string;
beforeAll(async () => {
  etcd = await startEtcd({ ca: authority, cert: certificate, key });
  await enableUser(etcd, user, "/datawire");
  folder = await mkdtemp(join(tmpdir(), "datawire-open-store-"));
  const files = {
    ca: authority,
    cert: certificate,
    named: namedCertificate,
    key,
    password: `${user.password}\n`,
    wrong: "wrong",
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
});
afterAll(async () => {
  await etcd.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** Names of files in the folder of the test. */
interface Chosen {
  readonly tls?: Readonly<Record<string, string>>;
  readonly password?: string;
}

/** As `directory.yaml` has it. */
function options(
  { tls = { ca: "ca", cert: "cert", key: "key" }, password = "password" }: Chosen = {},
  tenant?: string,
) {
  const path = (name: string): string => join(folder, name);
  const files = Object.fromEntries(Object.entries(tls).map(([name, file]) => [name, path(file)]));
  const store = storeSetting.parse({
    etcd: { endpoints: [etcd.url], user: user.name, password_file: path(password), tls: files },
  });
  return { store, folder: "/nowhere", address: "//localhost/directory", leaseMs: 9_000, tenant: tenant ?? null };
}

const deps = { clock: patientClock, log: noLog };

test("openStore() speaks with etcd over TLS, with a certificate of its own, as its user, for every tenant", async () => {
  const never = new AbortController().signal;
  for (const tenant of [undefined, "acme", "acme2", "mill"]) {
    const store = await openStore(options({}, tenant), deps, never);
    await store.commit([put("x", 1)]);
    expect((await store.load()).records).toMatchObject([{ key: "x", value: 1 }]);
    await store.close();
  }
  expect(await listTenants(options(), deps)).toEqual(["acme", "acme2", "mill"]);
});

test.each<[string, Chosen, RegExp]>([
  ["an authority that did not sign its certificate", { tls: {} }, /certificate/],
  ["no certificate", { tls: { ca: "ca" } }, /bad certificate|certificate required/],
  ["a name in the certificate", { tls: { ca: "ca", cert: "named", key: "key" } }, /certificate that has a common name/],
  ["a wrong password", { password: "wrong" }, /authentication failed, invalid user ID or password/],
])("openStore() waits where etcd has to do with %s, and says so", async (_, chosen, reason) => {
  const giveUp = new AbortController();
  const told: string[] = [];
  // Before that, a busy machine may have kept it from an answer.
  const error = (_message: string, entry?: LogFields): void => {
    told.push(String(entry?.["reason"]));
    if (reason.test(String(entry?.["reason"]))) giveUp.abort();
  };
  const opening = openStore(options(chosen), { clock: systemClock, log: { ...noLog, error } }, giveUp.signal);
  await expect(opening).rejects.toMatchObject({ code: "unavailable" });
  expect(told.at(-1)).toMatch(reason);
});

test("openStore() names the setting whose file is not there", async () => {
  const chosen = options({ tls: { ca: "none" } });
  await expect(openStore(chosen, deps, new AbortController().signal)).rejects.toThrow(
    /^Cannot use store\.etcd\.tls\.ca: .*none: /,
  );
});
