import { endpoints } from "@datawire/api";
import { flag, operand, type RunCommand } from "../dw.ts";

/** Ends a token. */
export const run: RunCommand = async (dw, input) => {
  const id = operand(input, 0);
  const { revoked } = await dw.client.ask(endpoints.revokeToken, { params: { token: id } });
  if (flag(input, "json")) return dw.output.json(revoked);
  dw.output.note(`token ${revoked.id} of role ${revoked.role} is revoked, and the links that used it have ended`);
};
