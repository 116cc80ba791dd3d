import { checkFolder, describeError, type Env, type Problem, readTextFile, whyNoCertificates } from "@datawire/runtime";
import { filedCertificates } from "../access/certificates.ts";
import { filesOf } from "../access/protection.ts";
import { dataDirOf, type DirectorySettings } from "../config/settings.ts";

/** What is looked at beyond the settings themselves, by `--check` and at a start: the files that they name. */
export async function checkFiles(settings: DirectorySettings, env: Env): Promise<readonly Problem[]> {
  const { value, locate } = settings;
  const place = locate(["data_dir"]) ?? { file: "directory.yaml" };
  const ofFolder = await checkFolder("data_dir", dataDirOf(value, env), place);
  return [...ofFolder, ...(await checkCertificates(settings)), ...(await checkEtcdFiles(settings))];
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
