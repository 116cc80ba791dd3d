import { checkFolder, describeError, type Env, type Problem, readTextFile, whyNoCertificates } from "@datawire/runtime";
import { filedCertificates } from "../access/certificates.ts";
import { filesOf } from "../access/protection.ts";
import { dataDirOf, type DirectorySettings } from "../config/settings.ts";

/** What `--check` looks at beyond the settings themselves: what a start looks at, and the folder that it would make. */
export async function checkAll(settings: DirectorySettings, env: Env): Promise<readonly Problem[]> {
  const { value, locate } = settings;
  const place = locate(["data_dir"]) ?? { file: "directory.yaml" };
  return [...(await checkFolder("data_dir", dataDirOf(value, env), place)), ...(await checkFiles(settings))];
}

/** What a start looks at before it makes anything: the files that the settings name. */
export async function checkFiles(settings: DirectorySettings): Promise<readonly Problem[]> {
  return [...(await checkCertificates(settings)), ...(await checkEtcdFiles(settings))];
}

async function checkEtcdFiles({ value, locate }: DirectorySettings): Promise<readonly Problem[]> {
  if (value.store === "embedded") return [];
  const { password_file, tls = {} } = value.store.etcd;
  const named = { password_file, "tls.ca": tls.ca, "tls.cert": tls.cert, "tls.key": tls.key };
  const problems = await Promise.all(
    Object.entries(named).map(async ([key, file]): Promise<Problem[]> => {
      if (file === undefined) return [];
      const path = ["store", "etcd", ...key.split(".")];
      const read = await readTextFile(file);
      const isAuthority = key === "tls.ca" || key === "tls.cert";
      const why = read.state !== "read" ? read.problem.message : isAuthority ? whyNoCertificates(read.text) : null;
      if (why === null) return [];
      return [
        {
          ...(locate(path) ?? { file: "directory.yaml" }),
          message: `${path.join(".")} is ${JSON.stringify(file)}: ${why}`,
        },
      ];
    }),
  );
  return problems.flat();
}

async function checkCertificates({ value, locate }: DirectorySettings): Promise<readonly Problem[]> {
  const { tls } = value;
  if (tls === undefined || tls === "off") return [];
  const placed = (message: string, ...path: string[]): Problem => ({
    ...(locate(path) ?? { file: "directory.yaml" }),
    message: `${path.join(".")}${message}`,
  });
  const problems: Problem[] = [];
  for (const [key, file] of Object.entries(tls)) {
    if (file === undefined) continue;
    const read = await readTextFile(file);
    if (read.state !== "read")
      problems.push(placed(` is ${JSON.stringify(file)}: ${read.problem.message}`, "tls", key));
  }
  if (problems.length > 0) return problems;
  try {
    await filedCertificates(filesOf(tls))(0);
    return [];
  } catch (error) {
    return [placed(`: ${describeError(error)}`, "tls")];
  }
}
