import { endpoints } from "@datawire/api";
import { quoteShort } from "@datawire/protocol";
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
  const { revoked } = await dw.client.ask(endpoints.revokeToken, { params: { token: id } });
  if (flag(input, "json")) return dw.output.json(revoked);
  dw.output.note(`token ${revoked.id} of role ${revoked.role} is revoked, and the links that used it have ended`);
};
