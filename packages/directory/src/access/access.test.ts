import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROLES } from "@datawire/protocol";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Question } from "../testing/guarded.ts";
import { type GuardedInMemory, serveGuardedInMemory } from "../testing/memory/guarded-in-memory.ts";
import { createAuthority, issueCertificate } from "@datawire/http/authority";
import { CertificateKeeper, filedCertificates, ownCertificates } from "./certificates.ts";

let guarded: GuardedInMemory;
const tokens = new Map<string, string>();

beforeAll(async () => {
  guarded = await serveGuardedInMemory();
  for (const role of ROLES) tokens.set(role, (await guarded.create(role)).token);
  tokens.set("acme", (await guarded.create("admin", { tenant: "acme" })).token);
});
afterAll(() => guarded.stop());

async function ask(path: string, question: Question = {}) {
  const answer = await guarded.ask(path, question);
  return { ...answer, body: String(answer.body) };
}

// By role: what it may read, change, administer. 401 and 403 come before anything is looked at.
test.each([
  ["client", 403, 403, 403],
  ["router", 403, 403, 403],
  ["viewer", 200, 403, 403],
  ["library", 403, 403, 403],
  ["watson", 403, 403, 403],
  ["sherlock", 200, 403, 403],
  ["operator", 200, 404, 403],
  ["admin", 200, 404, 200],
])("a token of role %s may read (%i), change (%i) and administer (%i)", async (role, read, change, administer) => {
  const token = tokens.get(role) ?? "";
  expect((await ask("/v1/routes", { token })).status).toBe(read);
  expect((await ask("/metrics", { token })).status).toBe(read);
  expect((await ask("/v1/backup", { token })).status).toBe(administer);
  expect((await ask("/v1/tokens", { token })).status).toBe(administer);
  const changed = await ask("/v1/services/none/promote", { token, method: "POST", body: { generation: "1" } });
  expect(changed.status).toBe(change);
});

test("a tenant sees no metrics, as they tell of all", async () => {
  const answer = await ask("/metrics", { token: tokens.get("acme") ?? "" });
  expect(answer).toMatchObject({ status: 403 });
});

test("what becomes of tokens is in the history, with who did it, and cannot be undone", async () => {
  const admin = tokens.get("admin") ?? "";
  const body = { role: "watson", services: ["billing-*"], tenant: null, expires: null };
  const { id } = JSON.parse((await ask("/v1/tokens", { token: admin, method: "POST", body })).body) as { id: string };
  await ask(`/v1/tokens/${id}`, { token: admin, method: "DELETE" });
  const { history } = JSON.parse((await ask("/v1/routes/history", { token: admin })).body) as { history: unknown[] };
  const who = expect.stringMatching(/^admin token /) as string;
  expect(history.slice(0, 2)).toMatchObject([
    { action: `token ${id} revoked: role watson, services billing-*`, who, verified: true },
    { action: `token ${id} created: role watson, services billing-*`, who, verified: true },
  ]);
  expect((await ask("/v1/routes/undo", { token: admin, method: "POST", body: {} })).status).toBe(409);
});

test("a token of a router says what its certificate may be for, and no other token does", async () => {
  const admin = tokens.get("admin") ?? "";
  const make = (body: Record<string, unknown>) => ask("/v1/tokens", { token: admin, method: "POST", body });
  const made = await make({ role: "router", hosts: ["VM101.example.com", "fd00::7"] });
  expect(JSON.parse(made.body)).toMatchObject({ role: "router", hosts: ["vm101.example.com", "fd00::7"] });
  const { tokens: all } = JSON.parse((await ask("/v1/tokens", { token: admin })).body) as { tokens: unknown[] };
  expect(all).toContainEqual(expect.objectContaining({ role: "router", hosts: ["vm101.example.com", "fd00::7"] }));
  expect((await make({ role: "router", hosts: ["a b"] })).body).toContain('Cannot use \\"a b\\" as a pattern of hosts');
  expect((await make({ role: "client", hosts: ["a"] })).body).toContain("wanted the role router");
});

test("no token is 401 with how to have one, and a flood of them 429; a token that holds is taken all the same", async () => {
  const first = await ask("/v1/routes");
  expect(first).toMatchObject({ status: 401, headers: { "www-authenticate": 'Bearer realm="datawire"' } });
  expect(first.body).toContain("DATAWIRE_TOKEN");
  const statuses: number[] = [];
  for (let i = 0; i < 30; i++) statuses.push((await ask("/v1/routes", { token: "dw1_x" })).status);
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect((await ask("/v1/routes", { token: tokens.get("admin") ?? "" })).status).toBe(200);
  const metrics = await ask("/metrics", { token: tokens.get("admin") ?? "" });
  expect(metrics.body).toMatch(/datawire_directory_refusals_total\{[^}]*code="unauthenticated"[^}]*\} \d+/);
});

test("a token in a URL is no token", async () => {
  expect((await ask(`/v1/routes?token=${tokens.get("admin")}`)).status).not.toBe(200);
});

test("ownCertificates() gives a new one when two thirds of the time are over", async () => {
  const startMs = Date.now();
  const source = ownCertificates(await createAuthority(startMs, "directory"), ["localhost"]);
  const first = await source(startMs);
  const day = 86_400_000;
  expect(await source(startMs + 59 * day)).toBe(first);
  expect(await source(startMs + 61 * day)).not.toBe(first);
});

test("CertificateKeeper shows what is put into its files, and keeps the old one while that cannot be used", async () => {
  const authority = await createAuthority(Date.now(), "directory");
  const clock = createFakeClock();
  const files = { cert: join(guarded.folder, "cert.pem"), key: join(guarded.folder, "key.pem"), clientCa: null };
  const put = async (): Promise<string> => {
    const { cert, key } = await issueCertificate(authority, ["localhost"], Date.now());
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    return cert;
  };
  const shown: string[] = [];
  const board = new ProblemBoard();
  const first = await put();
  const show = ({ cert }: { readonly cert: string }) => void shown.push(cert);
  const keeper = new CertificateKeeper(filedCertificates(files), { clock, log: noLog, board, show });
  await keeper.start();
  await keeper.look();
  expect(shown).toEqual([first]);
  await writeFile(files.key, "no key");
  await keeper.look();
  expect(shown).toEqual([first]);
  expect(board.list()).toMatchObject([{ subject: "certificate", severity: "error" }]);
  const second = await put();
  await keeper.look();
  expect(shown).toEqual([first, second]);
  expect(board.list()).toEqual([]);
});
