import { parseDuration, ROLES } from "@datawire/protocol";
import type { TokenCreateAnswer } from "../api-shapes.ts";
import { flag, optionText, type RunCommand } from "../dw.ts";
import { misuse, typed } from "../operands.ts";

/** Makes a token and prints it alone on its line: nothing shows it again. */
export const run: RunCommand = async (dw, input) => {
  const role = optionText(input, "role") ?? null;
  if (role === null) throw misuse(`Cannot create a token: wanted --role with one of ${ROLES.join(", ")}`);
  const expires = optionText(input, "expires") ?? null;
  if (expires !== null) typed(() => parseDuration(expires));
  const services = input.options["services"] ?? null;
  const tenant = optionText(input, "tenant") ?? null;
  const made = (await dw.client.post("/v1/tokens", { role, services, expires, tenant })) as TokenCreateAnswer;
  if (flag(input, "json")) return dw.output.json(made);
  dw.output.line(made.token);
  const until = made.expires === null ? "until it is revoked" : `until ${made.expires}`;
  dw.output.note(`token ${made.id} of role ${made.role} holds ${until}; keep it in a file of mode 600, as token_file`);
};
