import { lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { run, text } from "../../testing/run.ts";
import { SAMPLE } from "./config-init.ts";

/** A home without settings; `file` is where they go. */
async function home() {
  const folder = await mkdtemp(join(tmpdir(), "dw-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return { env: { HOME: folder }, file: join(folder, ".config/datawire/dw.yaml") };
}

test("config list shows each value with where it comes from, and no secret", async () => {
  const { env, file } = await home();
  await run("config init", { env });
  await writeFile(file, "directory: [//a/directory, //b:1/directory]\ntls: {ca: /ca.pem}\n");
  const { stdout } = await run("config", { env: { ...env, DATAWIRE_TOKEN: "secret" } });
  const expected = text`
    KEY         VALUE                           FROM
    directory   //a/directory, //b:1/directory  FILE:1:12
    tls.ca      /ca.pem                         FILE:2:11
    tls.cert    -                               default
    tls.key     -                               default
    token       ********                        DATAWIRE_TOKEN
    token_file  -                               default
  `;
  expect(stdout).toBe(expected.replaceAll("FILE", file));
});

test("config lets -d win, wherever it stands", async () => {
  const env = { ...(await home()).env, DATAWIRE_DIRECTORY: "//variable/directory" };
  for (const line of [
    "-d //flag/directory -d //b/directory config",
    "config list -d //flag/directory -d //b/directory",
  ]) {
    expect((await run(line, { env })).stdout).toMatch(
      /^directory +\/\/flag\/directory, \/\/b\/directory +--directory$/m,
    );
  }
  expect(await run("-d flag config", { env })).toMatchObject({ code: 64 });
});

test("config takes from the system's folder what the user's own file leaves open", async () => {
  const { env, file } = await home();
  const systemFolder = `${env.HOME}/etc`;
  await run("config init", { env });
  await mkdir(systemFolder);
  await writeFile(`${systemFolder}/dw.yaml`, "directory: //system/directory\ntoken_file: /token\n");
  await writeFile(file, "directory: //user/directory\n");
  expect((await run("config get directory", { env, systemFolder })).stdout).toBe("//user/directory\n");
  expect((await run("config get token_file", { env, systemFolder })).stdout).toBe("/token\n");
});

test("config set says what its user would stumble over: a file that is not there, a variable that wins", async () => {
  const { env } = await home();
  const missing = await run("config set token_file no-such-token", { env });
  expect(missing.stderr).toContain(`note: there is no ${join(process.cwd(), "no-such-token")} yet\n`);
  const outdone = await run("config set directory //a/directory", {
    env: { ...env, DATAWIRE_DIRECTORY: "//b/directory" },
  });
  expect(outdone.stderr).toMatch(/\nnote: DATAWIRE_DIRECTORY gives directory too, and wins\n$/);
});

test("config set names a file that it cannot change, with the place of what is no YAML", async () => {
  const { env, file } = await home();
  await mkdir(file, { recursive: true });
  const ofFolder = await run("config set directory //a/directory", { env });
  expect(ofFolder).toMatchObject({ code: 1, stderr: `dw: Cannot change ${file}: it is a folder, wanted a file\n` });
  await rm(file, { recursive: true });
  await writeFile(file, "directory: a: b\n");
  const ofText = await run("config set directory //a/directory", { env });
  expect(ofText).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/^\S+dw\.yaml:1:12: invalid YAML: .*; wanted quotes/),
  });
  await writeFile(file, "- directory\n");
  const ofList = await run("config set directory //a/directory", { env });
  expect(ofList).toMatchObject({ code: 78, stderr: expect.stringContaining("wanted KEY: VALUE lines") });
});

test("config set leaves what it does not change as it was typed, and reads what the programs read", async () => {
  const { env, file } = await home();
  await mkdir(dirname(file), { recursive: true });
  const long = `/${"a-folder-of-forty-characters-in-its-name/".repeat(4)}ca.pem`;
  await writeFile(
    file,
    `directory: //a/directory\ntoken_file: 2e3 # as typed\ntls: { ca: ${long}, cert: \${HOME}/a.pem, key: 1.10 }\n`,
  );
  expect(await run("config set directory //b/directory", { env })).toMatchObject({ code: 0 });
  expect(await readFile(file, "utf8")).toBe(
    `directory: //b/directory\ntoken_file: 2e3 # as typed\ntls: { ca: ${long}, cert: \${HOME}/a.pem, key: 1.10 }\n`,
  );
  await writeFile(file, "directory: //a/directory\ntls:\n");
  expect(await run("config set tls.ca /ca.pem", { env })).toMatchObject({ code: 0 });
  expect(await readFile(file, "utf8")).toBe("directory: //a/directory\ntls:\n  ca: /ca.pem\n");
});

test("config set changes one key and keeps the rest, comments too", async () => {
  const { env, file } = await home();
  expect(await run("config init", { env })).toMatchObject({ code: 0, stdout: `${file}\n` });
  expect(await readFile(file, "utf8")).toBe(SAMPLE);
  await run("config set directory //services/directory", { env });
  await run("config set tls.ca /ca.pem", { env });
  expect(await readFile(file, "utf8")).toBe(`${SAMPLE}\ndirectory: //services/directory\ntls:\n  ca: /ca.pem\n`);
  expect((await run("config get directory", { env })).stdout).toBe("//services/directory\n");
  expect((await run("config get tls.ca --json", { env })).stdout).toBe('"/ca.pem"\n');
  expect((await run("config get token_file", { env })).stdout).toBe("");
});

test("config set changes the file that a link leads to, and leaves its mode", async () => {
  const { env, file } = await home();
  const kept = `${env.HOME}/dotfiles.yaml`;
  await writeFile(kept, "directory: //a/directory\n", { mode: 0o600 });
  await mkdir(dirname(file), { recursive: true });
  await symlink(kept, file);
  await run("config set directory //b/directory", { env });
  expect((await lstat(file)).isSymbolicLink()).toBe(true);
  expect(await readFile(kept, "utf8")).toBe("directory: //b/directory\n");
  expect((await stat(kept)).mode & 0o777).toBe(0o600);
});

test("config set leaves a token in the file to its owner alone", async () => {
  const { env, file } = await home();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `token: dw1_${"a".repeat(43)}\n`, { mode: 0o644 });
  await run("config set directory //b/directory", { env });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("config set takes several addresses, and writes the file of -c", async () => {
  const { env, file } = await home();
  const other = `${env.HOME}/other.yaml`;
  expect(await run(`config set -c ${other} directory //a/directory,//b/directory`, { env })).toMatchObject({ code: 0 });
  expect((await run(`config get directory -c ${other}`, { env })).stdout).toBe("//a/directory, //b/directory\n");
  await expect(readFile(file)).rejects.toThrow("ENOENT");
});

test("config init never writes over a file", async () => {
  const { env, file } = await home();
  await run("config init", { env });
  expect(await run("config init", { env })).toMatchObject({
    code: 1,
    stderr: `dw: Cannot write ${file}: it is there already; \`dw config set\` changes it\n`,
  });
});

test.each([
  ["config get directry", 'Cannot find the setting "directry": did you mean directory?'],
  ["config set token x", 'Cannot find the setting "token": wanted one of directory, token_file, tls.ca'],
  ["config set directory services", 'Cannot read directory address "services"'],
])("%s is refused", async (line, message) => {
  const { env } = await home();
  const { code, stderr } = await run(line, { env });
  expect(code).toBe(64);
  expect(stderr).toContain(message);
});

test("config names the line of what it cannot use, and ends with 78", async () => {
  const { env, file } = await home();
  await run("config init", { env });
  await writeFile(file, "directory: //a/directory\ntokn_file: x\n");
  expect(await run("config", { env })).toMatchObject({
    code: 78,
    stderr: `${file}:2:1: tokn_file is not a known key: did you mean token_file?\n`,
  });
});
