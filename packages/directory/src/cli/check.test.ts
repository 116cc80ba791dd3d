import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblem } from "@datawire/runtime";
import { etcdCertificates } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkAll } from "./check.ts";
import { loadDirectorySettings } from "../config/settings.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "directory-check-"))));
afterEach(() => rm(folder, { recursive: true }));

async function check(text: string): Promise<string> {
  const config = join(folder, "directory.yaml");
  await writeFile(config, text);
  const input = { config, directories: [], options: {}, args: [], env: { XDG_CONFIG_HOME: folder } };
  const problems = await checkAll(await loadDirectorySettings(input), { HOME: folder });
  return problems.map(formatProblem).join("\n").replaceAll(folder, "FOLDER");
}

test("a number in quotes is told as text, also where a key takes more than numbers", async () => {
  await expect(check('port: "5430"')).rejects.toThrow(/port is "5430": in quotes it is text; wanted a port/);
});

test("checkAll() names each file that cannot be read, at its place", async () => {
  expect(await check(`tls:\n  cert: ${folder}/a\n  key: ${folder}/b\n  client_ca: ${folder}/c`)).toBe(
    [
      'FOLDER/directory.yaml:2:9: tls.cert is "FOLDER/a": Cannot read the file: no such file or folder',
      'FOLDER/directory.yaml:3:8: tls.key is "FOLDER/b": Cannot read the file: no such file or folder',
      'FOLDER/directory.yaml:4:14: tls.client_ca is "FOLDER/c": Cannot read the file: no such file or folder',
    ].join("\n"),
  );
});

test("checkAll() says what is wrong with files that are no certificates", async () => {
  await Promise.all(["a", "b"].map((name) => writeFile(join(folder, name), "no PEM")));
  expect(await check(`tls: { cert: ${folder}/a, key: ${folder}/b }`)).toMatch(
    /^FOLDER\/directory\.yaml:1:6: tls: Cannot use the certificate FOLDER\/a with the key FOLDER\/b: /,
  );
});

test("checkAll() says what is wrong with the authority of clients, and with the files of etcd", async () => {
  const { certificate, key, authority } = etcdCertificates;
  const files = { cert: certificate, key, ca: "no PEM", authority };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  const own = `cert: ${folder}/cert, key: ${folder}/key`;
  expect(await check(`tls: { ${own}, client_ca: ${folder}/ca }`)).toContain(
    "Cannot use FOLDER/ca as the authority of clients: it holds no certificate",
  );
  expect(await check(`tls: { ${own}, client_ca: ${folder}/authority }`)).toBe("");
  const etcd = `endpoints: ["http://h:1"], user: u, password_file: ${folder}/gone, tls: { ca: ${folder}/ca }`;
  expect(await check(`store: { etcd: { ${etcd} } }`)).toMatch(
    /password_file is .*no such file or folder\n.*store\.etcd\.tls\.ca is .*it holds no certificate/,
  );
});

test.each(["", "tls: off"])("checkAll() has nothing to look at in %j", async (text) => {
  expect(await check(text)).toBe("");
});

test("checkAll() says where a data folder is named that can be none", async () => {
  await writeFile(join(folder, "file"), "");
  expect(await check(`data_dir: ${folder}/file`)).toBe(
    'FOLDER/directory.yaml:1:11: data_dir is "FOLDER/file": it is a file, wanted a folder',
  );
});
