import { type Answer, endpoints } from "@datawire/api";
import { formatAge } from "../../core/span.ts";
import { cell } from "../../core/text-table.ts";
import { flag, type RunCommand } from "../../context/dw.ts";

/** Every token, the oldest first; secrets are kept by their holders alone. */
export const run: RunCommand = async (dw, input) => {
  const { tokens } = await dw.client.ask(endpoints.listTokens);
  if (flag(input, "json")) return dw.output.json(tokens);
  if (tokens.length === 0) return dw.output.note("there is no token");
  dw.output.table({
    columns: [
      { title: "ID" },
      { title: "ROLE" },
      { title: "TENANT" },
      { title: "SERVICES", shrink: 1 },
      { title: "SEND", shrink: 1 },
      { title: "LISTEN", shrink: 1 },
      { title: "CREATED" },
      { title: "BY", shrink: 2 },
      { title: "EXPIRES" },
    ],
    rows: tokens.map(({ id, role, tenant, services, send, listen, created, createdBy, expires, expired }) => [
      id,
      role,
      tenant ?? "-",
      services?.join(", ") ?? (role === "watson" || role === "admin" ? "all" : "-"),
      addresses(role, send),
      addresses(role, listen),
      formatAge(created, dw.clock.nowMs()),
      createdBy,
      expired ? cell("expired", "faint") : (expires ?? "never"),
    ]),
  });
};

type Token = Answer<"listTokens">["tokens"][number];

/** The addresses of a token; those of some roles are all. */
function addresses(role: Token["role"], patterns: readonly string[] | null | undefined): string {
  return patterns?.join(", ") ?? (role === "operator" || role === "admin" || role === "router" ? "all" : "-");
}
