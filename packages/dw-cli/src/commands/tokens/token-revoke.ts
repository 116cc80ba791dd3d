import { endpoints } from "@datawire/api";
import { quoteShort } from "@datawire/protocol";
import { count } from "../../core/span.ts";
import { misuse } from "../../context/operands.ts";
import { flag, operand, type RunCommand } from "../../context/dw.ts";

/** Ends a token, by its id: the token itself would stand in a URL. */
export const run: RunCommand = async (dw, input) => {
  const id = operand(input, 0);
  if (!/^[A-Za-z0-9-]{1,40}$/.test(id)) {
    const text = quoteShort(id);
    throw misuse(
      `Cannot use ${text} as the id of a token: wanted one that \`dw token list\` shows, and not the token itself`,
    );
  }
  const dryRun = flag(input, "dryRun");
  const query = dryRun ? { dryRun: "true" } : {};
  const answer = await dw.client.ask(endpoints.revokeToken, { params: { token: id }, query });
  const { revoked, sessions = 0, notes = [] } = answer;
  if (flag(input, "json")) return dw.output.json(dryRun ? answer : revoked);
  for (const note of notes) dw.output.note(note);
  const what = `token ${revoked.id} of role ${revoked.role}`;
  if (dryRun)
    return dw.output.line(
      `Nothing is changed; it would end ${what}, ${count(sessions, "session")} of the console, and the links that use it`,
    );
  dw.output.note(`${what} is revoked, and the links that used it have ended`);
};
