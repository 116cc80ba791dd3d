import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority, certifyKey } from "@datawire/http/authority";
import type { LinkSession } from "@datawire/link";
import { noLog } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CertificateFollower } from "./certificate-follower.ts";

const DAY_MS = 86_400_000;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "certificate-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A router with a directory that signs what it is asked for, where it is told to. */
function world(names: readonly string[] = ["VM101", "10.0.0.5"], clock = createFakeClock()) {
  const shown: { readonly cert: string; readonly key: string }[] = [];
  const problems: string[] = [];
  const asked: { readonly publicKey: string; readonly names: readonly string[] }[] = [];
  const board = {
    set: (_: string, list: readonly { readonly message: string }[]) =>
      void problems.splice(0, problems.length, ...list.map(({ message }) => message)),
  };
  const deps = { clock, log: noLog, board, names, show: (tls: (typeof shown)[number]) => void shown.push(tls) };
  const follower = new CertificateFollower(join(folder, "certificate.json"), deps);
  const session = {
    send(message: (typeof asked)[number]) {
      asked.push(message);
      return true;
    },
  } as unknown as LinkSession;
  const answer = async (count: number, leftOut: readonly string[] = []): Promise<void> => {
    await expect.poll(() => asked.length).toBe(count);
    const authority = await createAuthority(clock.nowMs(), "directory");
    const { publicKey, names: all } = asked.at(-1) as (typeof asked)[number];
    const wanted = all.filter((name) => !leftOut.includes(name));
    const chain = await certifyKey(authority, { name: "Datawire router", names: wanted, publicKey }, clock.nowMs());
    const reason = leftOut.length === 0 ? null : `it is not for ${leftOut.join(", ")}: wanted another`;
    follower.message({ type: "certificate", chain, reason });
  };
  return { clock, follower, session, shown, problems, asked, answer };
}

test("CertificateFollower gets a certificate, and has it after a restart without the directory", async () => {
  const one = world();
  await one.follower.load();
  expect(one.problems).toEqual(["it waits for a certificate of the directory"]);
  one.follower.connected(one.session);
  await one.answer(1);
  expect(one.asked[0]?.names).toEqual(["vm101", "10.0.0.5"]);
  expect(one.problems).toEqual([]);
  await one.follower.close();
  expect((await stat(join(folder, "certificate.json"))).mode & 0o777).toBe(0o600);

  const again = world(undefined, one.clock);
  await again.follower.load();
  expect(again.shown).toEqual(one.shown);
  // One that holds is not asked for again; with another name it is.
  again.follower.connected(again.session);
  await again.follower.close();
  const renamed = world(["vm102"], one.clock);
  await renamed.follower.load();
  renamed.follower.connected(renamed.session);
  await renamed.answer(1);
  expect(renamed.shown).toHaveLength(2);
  expect(again.asked).toEqual([]);
  await renamed.follower.close();
});

test("CertificateFollower gets the next one when two thirds of its time are over, without a restart", async () => {
  const { clock, follower, session, shown, asked, answer } = world();
  await follower.load();
  follower.connected(session);
  await answer(1);
  await clock.advance(59 * DAY_MS);
  expect(asked).toHaveLength(1);
  await clock.advance(DAY_MS);
  await answer(2);
  expect(shown).toHaveLength(2);
  expect(shown[1]?.key).not.toBe(shown[0]?.key);
  follower.disconnected();
  await follower.close();
});

test("CertificateFollower says why there is none, and shows nothing that is not of its key", async () => {
  const { follower, session, shown, problems, asked } = world();
  await writeFile(join(folder, "certificate.json"), '{"key":"x","chain":"y","names":[]}');
  await follower.load();
  follower.connected(session);
  await expect.poll(() => asked.length).toBe(1);
  follower.message({ type: "certificate", chain: null, reason: "it is not so" });
  expect(problems).toEqual(["the directory gives it no certificate: it is not so"]);
  follower.connected(session);
  await expect.poll(() => asked.length).toBe(2);
  const { certificate } = await createAuthority(Date.now(), "directory");
  follower.message({ type: "certificate", chain: certificate, reason: null });
  expect(problems).toEqual(["what the directory gives it is no certificate of its key"]);
  expect(shown).toEqual([]);
  await follower.close();
  expect(await readFile(join(folder, "certificate.json"), "utf8")).toContain('"x"');
});

test("CertificateFollower tells that the name of the router is left out, shows the rest, and asks again", async () => {
  const { clock, follower, session, shown, problems, answer } = world();
  await follower.load();
  follower.connected(session);
  await answer(1, ["vm101"]);
  expect(shown).toHaveLength(1);
  expect(problems).toEqual([
    "whoever knows it by names refuses its certificate of the directory: it is not for vm101: wanted another",
  ]);
  await clock.advance(3_600_000);
  // Other addresses of the machine are no reason to complain.
  await answer(2, ["10.0.0.5"]);
  expect(problems).toEqual([]);
  await follower.close();
});
