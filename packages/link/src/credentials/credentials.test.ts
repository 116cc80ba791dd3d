import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { etcdCertificates } from "@datawire/runtime/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCredentials } from "./credentials.ts";

const TOKEN = `dw1_${"a".repeat(43)}`;
const place = { file: "watson.yaml", locate: () => undefined };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "credentials-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, content: string, mode: number): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

test("loadCredentials() reads a token that only its owner can read, without the end of its line", async () => {
  const file = await write("token", `${TOKEN}\n`, 0o600);
  expect(await loadCredentials({ token_file: file }, place)).toEqual({ token: TOKEN, tls: null });
});

test("loadCredentials() takes the token itself before a file", async () => {
  expect(await loadCredentials({ token: TOKEN, token_file: "/nowhere" }, place)).toMatchObject({ token: TOKEN });
});

test.each([
  [0o640, "mode 640"],
  [0o604, "mode 604"],
])("loadCredentials() refuses a token file of mode %o", async (mode, found) => {
  const file = await write("open", TOKEN, mode);
  await expect(loadCredentials({ token_file: file }, place)).rejects.toThrow(
    `watson.yaml: token_file is ${JSON.stringify(file)}: Cannot use the file: others can read it (${found}), wanted mode 600`,
  );
});

test("loadCredentials() lets a group read a key, and nobody else", async () => {
  const { certificate, key } = etcdCertificates;
  const cert = await write("cert", certificate, 0o644);
  const tls = { cert, key: await write("key", key, 0o640) };
  expect(await loadCredentials({ tls }, place)).toEqual({ token: null, tls: { ca: null, cert: certificate, key } });
  await chmod(tls.key, 0o644);
  await expect(loadCredentials({ tls }, place)).rejects.toThrow("tls.key is");
});

test("loadCredentials() says everything that is wrong at once", async () => {
  await expect(loadCredentials({ token_file: "/nowhere", tls: { cert: "/none" } }, place)).rejects.toMatchObject({
    exitCode: 78,
    problems: [
      { message: expect.stringContaining("token_file") as string },
      { message: expect.stringContaining("tls.cert") as string },
      { message: "tls.cert and tls.key go together: wanted both or neither" },
    ],
  });
});

test("loadCredentials() refuses a text that is no token, with exit code 77 and without repeating it", async () => {
  await expect(loadCredentials({ token: "hunter2" }, place)).rejects.toMatchObject({
    exitCode: 77,
    message: expect.not.stringContaining("hunter2") as string,
    problems: [{ message: expect.stringContaining("Cannot use the token: it is malformed") as string }],
  });
});

test("loadCredentials() refuses a token in a settings file that others can read", async () => {
  const file = await write("settings.yaml", `token: ${TOKEN}\n`, 0o644);
  const given = { file, line: 1, column: 8 };
  const located = { file, locate: () => given };
  await expect(loadCredentials({ token: TOKEN }, located)).rejects.toThrow(
    `${file}:1:8: Cannot use the token of the file: others can read it (mode 644), wanted mode 600: chmod 600 ${file}`,
  );
  await chmod(file, 0o600);
  expect(await loadCredentials({ token: TOKEN }, located)).toMatchObject({ token: TOKEN });
});

test("loadCredentials() refuses what is no certificate, and a key of another", async () => {
  const { certificate, key } = etcdCertificates;
  const files = { ca: await write("no-ca", "PEM", 0o644), cert: await write("no-cert", key, 0o644) };
  await expect(
    loadCredentials({ tls: { ...files, key: await write("own-key", key, 0o600) } }, place),
  ).rejects.toMatchObject({
    problems: [
      { message: expect.stringContaining("tls.ca is") as string },
      { message: expect.stringContaining("it holds no certificate") as string },
    ],
  });
  const pair = { cert: await write("a-cert", certificate, 0o644), key: await write("no-key", "PEM", 0o600) };
  await expect(loadCredentials({ tls: pair }, place)).rejects.toThrow("it holds no key, wanted PEM");
});
