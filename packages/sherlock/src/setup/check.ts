import { describeError, type Place, type Problem, readTextFile, whyNoCertificates } from "@datawire/runtime";
import { findHaproxy } from "./haproxy-binary.ts";
import { TemplateError } from "./template-error.ts";
import { loadTemplate } from "./template.ts";
import type { SherlockSettings } from "../config/settings.ts";

/** What is looked at beyond the settings themselves, by `--check` and at a start: the files that they name. */
export async function checkFiles({ haproxy, env }: SherlockSettings): Promise<readonly Problem[]> {
  const { command, template, caFile, places } = haproxy;
  const problems: Problem[] = [];
  if (caFile !== null) {
    const read = await readTextFile(caFile);
    const why = read.state === "read" ? whyNoCertificates(read.text) : read.problem.message;
    const place = places.caFile ?? { file: "haproxy.ca_file" };
    if (why !== null) problems.push({ ...place, message: `haproxy.ca_file is ${JSON.stringify(caFile)}: ${why}` });
  }
  try {
    // Whether any HAProxy is installed is a matter of the machine; one that is named is a setting.
    if (command !== null) await findHaproxy(command, env["PATH"] ?? "");
  } catch (error) {
    problems.push(problemAt(places.command, "haproxy.command", error));
  }
  try {
    await loadTemplate(template);
  } catch (error) {
    const inside = error instanceof TemplateError && error.place !== null;
    problems.push(
      inside ? { ...error.place, message: error.reason } : problemAt(places.template, "haproxy.template", error),
    );
  }
  return problems;
}

function problemAt(place: Place | undefined, key: string, error: unknown): Problem {
  return { ...(place ?? { file: key }), message: `${key}: ${describeError(error)}` };
}
