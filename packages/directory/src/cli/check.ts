import { describeError, type Problem, readTextFile } from "@datawire/runtime";
import { filedCertificates } from "../access/certificates.ts";
import { filesOf } from "../access/protection.ts";
import type { DirectorySettings } from "../config/settings.ts";

/** What `--check` looks at beyond the settings themselves: certificates of one's own. */
export async function checkCertificates({ value, locate }: DirectorySettings): Promise<readonly Problem[]> {
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
