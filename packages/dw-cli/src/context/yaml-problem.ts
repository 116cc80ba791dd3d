import type { YAMLError } from "yaml";

/** What is no YAML in a text, and where, without the lines that show it. */
export function yamlProblem({ message }: Pick<YAMLError, "message">): string {
  const [what = ""] = message.split("\n", 1);
  return what.replace(/:$/, "");
}
