import { endpoints } from "@datawire/api";
import { parseDuration, ROLES } from "@datawire/protocol";
import { flag, optionList, optionText, type RunCommand } from "../../context/dw.ts";
import { misuse, typed } from "../../context/operands.ts";

/** Makes a token and prints it alone on its line: nothing shows it again. */
export const run: RunCommand = async (dw, input) => {
  const role = ROLES.find((known) => known === optionText(input, "role"));
  if (role === undefined) throw misuse(`Cannot create a token: wanted --role with one of ${ROLES.join(", ")}`);
  const expires = optionText(input, "expires") ?? null;
  if (expires !== null) typed(() => parseDuration(expires));
  const services = optionList(input, "services") ?? null;
  const send = optionList(input, "send") ?? null;
  const listen = optionList(input, "listen") ?? null;
  const hosts = optionList(input, "hosts") ?? null;
  const tenant = optionText(input, "tenant") ?? null;
  const dryRun = flag(input, "dryRun");
  const made = await dw.client.ask(endpoints.createToken, {
    body: { role, services, send, listen, ...(hosts && { hosts }), expires, tenant, dryRun },
  });
  if (flag(input, "json")) return dw.output.json(made);
  for (const note of made.notes ?? []) dw.output.note(note);
  const until = made.expires === null ? "until it is revoked" : `until ${made.expires}`;
  if (made.token === null)
    return dw.output.line(`Nothing is changed; it would be a token of role ${made.role} that holds ${until}`);
  dw.output.line(made.token);
  dw.output.note(`token ${made.id} of role ${made.role} holds ${until}; keep it in a file of mode 600, as token_file`);
};
