import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

const NAME = "apache-artemis-2.40.0";
const ARTIFACT = "org.apache.activemq:apache-artemis:2.40.0:tar.gz:bin";
/** As the repository has it beside the archive. */
const SHA512 =
  "270a00dc3028fb3b93c6aa09aa3e40fbe76015029e5308e0aac241589299a72dac9bb50a10e7e86ad66185e2d8bc7224626810df12f1ee05694322054ad32700";

/**
 * The folder of Artemis in a cache; where it is not there yet, Maven fetches it, and it is checked and unpacked.
 * @param repository the address of a Maven repository to take it from; null for what Maven is set to, Maven Central by itself.
 * @throws Error that says why it cannot be had.
 */
export async function provideArtemis(cache: string, repository: string | null): Promise<string> {
  const home = join(cache, NAME);
  if (existsSync(home)) return home;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "new-"));
  try {
    await fetchArchive(folder, repository);
    await unpack(join(folder, `${NAME}-bin.tar.gz`), SHA512);
    // Whole or not at all, whenever it is stopped.
    await rename(join(folder, NAME), home);
    return home;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Unpacks an archive beside itself.
 * @throws Error where it is not the one that is wanted.
 */
export async function unpack(archive: string, sha512: string): Promise<void> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(archive), hash);
  const found = hash.digest("hex");
  if (found !== sha512)
    throw new Error(
      `Cannot use ${archive}: its SHA-512 is ${found}, wanted ${sha512}; the repository has another file`,
    );
  await execute("tar", ["-xzf", archive, "-C", dirname(archive)]);
}

/** Settings of Maven that has everything from one repository. */
export function mavenSettings(repository: string): string {
  const url = repository.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<settings><mirrors><mirror><id>given</id><mirrorOf>*</mirrorOf><url>${url}</url></mirror></mirrors></settings>\n`;
}

async function fetchArchive(folder: string, repository: string | null): Promise<void> {
  const args = [
    "-B",
    "-q",
    "-Dstyle.color=never",
    "dependency:copy",
    `-Dartifact=${ARTIFACT}`,
    `-DoutputDirectory=${folder}`,
  ];
  if (repository !== null) {
    const settings = join(folder, "settings.xml");
    await writeFile(settings, mavenSettings(repository));
    args.push("-s", settings);
  }
  try {
    await execute("mvn", args, { cwd: folder });
  } catch (error) {
    const { code, stdout = "" } = error as { code?: unknown; stdout?: string };
    if (code === "ENOENT")
      throw new Error(
        "Cannot fetch Artemis: mvn is missing, wanted Apache Maven (Debian: maven), or the path of an unpacked Artemis",
        { cause: error },
      );
    const why = stdout.split("\n").find((line) => line.includes("ERROR")) ?? String(error);
    throw new Error(`Cannot fetch ${ARTIFACT}: ${why}`, { cause: error });
  }
}
